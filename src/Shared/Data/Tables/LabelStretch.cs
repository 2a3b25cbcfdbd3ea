using System.Text;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of a column of labels, which one thread fills in their order.</summary>
/// <param name="ids">[rows of the table], the place of each label in <see cref="Texts"/>; shared with the other stretches.</param>
/// <param name="first">The first row.</param>
/// <param name="rules">How numbers are written, and how places are named.</param>
/// <param name="ofColumn">What messages put behind "the label": nothing, or which column it stands in.</param>
internal sealed class LabelStretch(int[] ids, int first, CellRules rules, string ofColumn)
{
    private readonly List<double> _numbers = [];
    private int _next = first;

    /// <summary>The first row.</summary>
    public int First { get; } = first;

    /// <summary>Number of rows that are filled.</summary>
    public int Count => _next - First;

    /// <summary>The different labels of these rows.</summary>
    public WordTable Texts { get; } = new();

    /// <summary>The number that each of them is, NaN for other text.</summary>
    public IReadOnlyList<double> Numbers => _numbers;

    /// <summary>Adds a cell.</summary>
    /// <exception cref="InputException">It is empty, not finite, or not UTF-8.</exception>
    public void Add(CsvCell cell, long place)
    {
        var id = Texts.IndexOf(cell, place, rules.Places);
        if (id == _numbers.Count)
            _numbers.Add(Number(Texts.Words[id], place));
        ids[_next++] = id;
    }

    private double Number(string text, long place)
    {
        if (text.Length == 0)
            throw rules.Places.Refuse(place, $"the label{ofColumn} is empty");
        if (!rules.Dialect.TryParse(Encoding.UTF8.GetBytes(text), out var number))
            return double.NaN;
        return double.IsFinite(number) ? number : throw rules.Places.Refuse(place, $"the label{ofColumn} is {text}; drop the row");
    }
}
