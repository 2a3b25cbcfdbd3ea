using System.Globalization;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of a column, which one thread fills in their order.</summary>
/// <param name="name">How messages name the column.</param>
/// <param name="kind">What it holds; null while that is to be found out.</param>
/// <param name="values">[rows of the table], shared with the other stretches; overwritten by <see cref="End"/> at the latest.</param>
/// <param name="first">The first row.</param>
/// <param name="rules">What becomes of a cell.</param>
internal sealed class ColumnStretch(string name, ColumnKind? kind, Memory<double> values, int first, CellRules rules)
{
    private ColumnWriter<double> _values = new(values, first);

    /// <summary>The first row.</summary>
    public int First { get; } = first;

    /// <summary>Number of rows that are filled.</summary>
    public int Count => _values.Next - First;

    /// <summary>The words of these rows.</summary>
    public WordTable Words { get; } = new();

    /// <summary>The first text that is no number where there should be one.</summary>
    public (string Text, long Place)? Intruder { get; private set; }

    /// <summary>Whether a text that is a number stands for its value, whatever it is.</summary>
    public bool TakesNumbers { get; } = kind != ColumnKind.Category && !rules.Gaps.IncludeNumbers;

    /// <summary>Adds a number that fits in a 32-bit float, where <see cref="TakesNumbers"/>.</summary>
    public void Add(double number) => _values.Add(number);

    /// <summary>Adds a row without a value.</summary>
    public void AddGap() => _values.Add(double.NaN);

    /// <summary>Says that all rows are there.</summary>
    public void End() => _values.Flush();

    /// <summary>Adds a number of a column that is not said to hold categories; NaN for a gap.</summary>
    /// <exception cref="InputException">It does not fit in a 32-bit float.</exception>
    public void AddNumber(double number, long place)
    {
        if (double.IsNaN(number) || rules.Gaps.Contains(number))
            AddGap();
        else if (float.IsFinite((float)number))
            Add(number);
        else
            throw DoesNotFit(number.ToString(CultureInfo.InvariantCulture), place);
    }

    /// <summary>Adds a cell.</summary>
    /// <exception cref="InputException">It is not UTF-8, or a number that does not fit in a 32-bit float.</exception>
    public void Add(CsvCell cell, long place)
    {
        var text = cell.Text.Trim((byte)' ');
        if (kind == ColumnKind.Category)
        {
            if (rules.Gaps.Contains(text))
                AddGap();
            else
                Add(Words.IndexOf(cell, place, rules.Places));
            return;
        }

        var isNumber = rules.Dialect.TryParse(text, out var value) && float.IsFinite((float)value);
        if ((!isNumber || rules.Gaps.IncludeNumbers) && rules.Gaps.Contains(text))
            AddGap();
        else if (isNumber)
            Add(value);
        else if (double.IsNaN(value) || value == 0)
            AddIntruder(cell, place);
        else
            throw DoesNotFit(CsvText.Shorten(text), place);
    }

    private InputException DoesNotFit(string number, long place) =>
        rules.Places.Refuse(place, $"{name}: {number} does not fit in a 32-bit float");

    private void AddIntruder(CsvCell cell, long place)
    {
        Intruder ??= (CsvText.Of(cell, place, rules.Places), place);
        if (rules.Decides(_values.Next))
            Words.IndexOf(cell, place, rules.Places);
        AddGap();
    }
}
