namespace Distributed.Data.Tables;

/// <summary>A column of features as it was read.</summary>
internal sealed class RawColumn
{
    private readonly Memory<double> _values;
    private readonly WordTable _words = new();

    /// <summary>A column that is still to be filled.</summary>
    /// <param name="kind">What it holds; null while that is to be found out.</param>
    /// <param name="values">[rows], where its values are to lie.</param>
    public RawColumn(ColumnKind? kind, Memory<double> values)
    {
        Kind = kind;
        _values = values;
    }

    /// <summary>A column of numbers.</summary>
    /// <param name="numbers">[rows].</param>
    public RawColumn(double[] numbers)
    {
        Kind = ColumnKind.Number;
        _values = numbers;
    }

    /// <summary>What it holds; null while that is to be found out.</summary>
    public ColumnKind? Kind { get; }

    /// <summary>[rows]: numbers, or of a category the place in <see cref="Words"/>; NaN where there is a gap, or text among numbers.</summary>
    public ReadOnlySpan<double> Values => _values.Span;

    /// <summary>[rows]: where they lie.</summary>
    public ReadOnlyMemory<double> Room => _values;

    /// <summary>The different words, in order of appearance; where the kind is open, the training part's texts that are no numbers.</summary>
    public IReadOnlyList<string> Words => _words.Words;

    /// <summary>The place at which each word stands first.</summary>
    public IReadOnlyList<long> Places => _words.Places;

    /// <summary>The first text of any part that is no number where there should be one.</summary>
    public (string Text, long Place)? Intruder { get; private set; }

    /// <summary>Some consecutive rows, to be filled on any thread.</summary>
    /// <param name="name">How messages name the column.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rules">What becomes of a cell.</param>
    public ColumnStretch Stretch(string name, int first, CellRules rules) => new(name, Kind, _values, first, rules);

    /// <summary>Adds the words of rows that are filled; stretches come in the order of their rows.</summary>
    public void Join(ColumnStretch stretch)
    {
        Intruder ??= stretch.Intruder;
        var indices = _words.Join(stretch.Words);
        if (Kind != ColumnKind.Category)
            return;
        foreach (ref var value in _values.Span.Slice(stretch.First, stretch.Count))
            value = double.IsNaN(value) ? value : indices[(int)value];
    }
}
