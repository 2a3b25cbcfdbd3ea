using System.Runtime.InteropServices;

namespace Distributed.Data.Tables;

/// <summary>A column of features as it was read.</summary>
/// <param name="kind">What it holds; null while that is to be found out.</param>
internal sealed class RawColumn(ColumnKind? kind)
{
    private readonly Dictionary<string, int> _placeOf = new(StringComparer.Ordinal);
    private readonly List<double> _values = [];
    private readonly List<string> _words = [];
    private readonly List<int> _lines = [];

    /// <summary>What it holds; null while that is to be found out.</summary>
    public ColumnKind? Kind => kind;

    /// <summary>[rows]: numbers, or of a category the place in <see cref="Words"/>; NaN where there is a gap, or text among numbers.</summary>
    public ReadOnlySpan<double> Values => CollectionsMarshal.AsSpan(_values);

    /// <summary>The different words, in order of appearance; where the kind is open, the training part's texts that are no numbers.</summary>
    public IReadOnlyList<string> Words => _words;

    /// <summary>The line on which each word stands first.</summary>
    public IReadOnlyList<int> Lines => _lines;

    /// <summary>The first text of any part that is no number where there should be one.</summary>
    public (string Text, int Line)? Intruder { get; private set; }

    /// <summary>Adds the number of a row.</summary>
    public void Add(double number) => _values.Add(number);

    /// <summary>Adds a row without a value.</summary>
    public void AddGap() => _values.Add(double.NaN);

    /// <summary>Adds the word of a row.</summary>
    public void Add(string word, int line)
    {
        _values.Add(PlaceOf(word, line));
    }

    /// <summary>Adds a row with text where there may be numbers.</summary>
    /// <param name="text">The text.</param>
    /// <param name="line">Its line.</param>
    /// <param name="decides">Whether it counts for what the column holds.</param>
    public void AddIntruder(string text, int line, bool decides)
    {
        Intruder ??= (text, line);
        if (decides)
            PlaceOf(text, line);
        AddGap();
    }

    private int PlaceOf(string word, int line)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_placeOf, word, out var isKnown);
        if (isKnown)
            return place;
        place = _words.Count;
        _words.Add(word);
        _lines.Add(line);
        return place;
    }
}
