using System.Text;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of a column of labels, which one thread fills in their order.</summary>
/// <param name="numbers">[rows of the table], the number that each label is, NaN for other text; shared with the other stretches.</param>
/// <param name="ids">[rows of the table], the place of each label in <see cref="Texts"/>; shared likewise.</param>
/// <param name="first">The first row.</param>
/// <param name="rules">How numbers are written, and how places are named.</param>
/// <param name="ofColumn">What messages put behind "the label": nothing, or which column it stands in.</param>
internal sealed class LabelStretch(Memory<double> numbers, Memory<int> ids, int first, CellRules rules, string ofColumn)
{
    // More different numbers in a stretch are no classes, and a string for each of them would take longer than all else.
    private const int MostTexts = 256;

    private readonly List<double> _numberOfText = [];
    private ColumnWriter<double> _numbers = new(numbers, first);
    private ColumnWriter<int> _ids = new(ids, first);

    /// <summary>The first row.</summary>
    public int First { get; } = first;

    /// <summary>Number of rows that are filled.</summary>
    public int Count => _numbers.Next - First;

    /// <summary>The different labels of these rows, where they are kept.</summary>
    public WordTable Texts { get; } = new();

    /// <summary>The number that each of them is, NaN for other text.</summary>
    public IReadOnlyList<double> NumberOfText => _numberOfText;

    /// <summary>Whether labels are numbers alone, of which <see cref="Texts"/> has only the first ones.</summary>
    public bool AreNumbers { get; private set; }

    /// <summary>Whether a label is not a number.</summary>
    public bool HasText { get; private set; }

    /// <summary>Adds a number, where <see cref="AreNumbers"/>.</summary>
    public void Add(double number) => _numbers.Add(number);

    /// <summary>Says that all rows are there.</summary>
    public void End()
    {
        _numbers.Flush();
        _ids.Flush();
    }

    /// <summary>Adds a cell.</summary>
    /// <exception cref="InputException">It is empty, not finite, or not UTF-8.</exception>
    public void Add(CsvCell cell, long place)
    {
        if (AreNumbers)
        {
            Add(Number(CsvText.Of(cell, place, rules.Places), place));
            return;
        }

        var id = Texts.IndexOf(cell, place, rules.Places);
        if (id == _numberOfText.Count)
            _numberOfText.Add(Number(Texts.Words[id], place));
        _ids.Add(id);
        Add(_numberOfText[id]);
        AreNumbers = id >= MostTexts && !HasText && !rules.KeepsLabelTexts;
    }

    private double Number(string text, long place)
    {
        if (text.Length == 0)
            throw rules.Places.Refuse(place, $"the label{ofColumn} is empty");
        if (rules.Dialect.TryParse(Encoding.UTF8.GetBytes(text), out var number))
            return double.IsFinite(number) ? number : throw rules.Places.Refuse(place, $"the label{ofColumn} is {text}; drop the row");
        HasText = true;
        return double.NaN;
    }
}
