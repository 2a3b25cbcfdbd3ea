using System.Globalization;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>A column of labels of a table, and the classes or numbers in it.</summary>
/// <param name="path">What the table is called.</param>
/// <param name="numbers">[rows], where the number that each label is will lie, NaN for other text.</param>
/// <param name="ids">[rows], where the place of each label among the different ones will lie.</param>
/// <param name="rules">How numbers are written, and how places are named.</param>
/// <param name="column">How messages name the column; null where there is only one.</param>
internal sealed class RawLabels(string path, Memory<double> numbers, Memory<int> ids, CellRules rules, string? column = null)
{
    // Below this every integer is a double of its own, so that no two labels become one.
    private const double IntegerLimit = 1L << 53;

    private readonly WordTable _texts = new();
    private readonly List<double> _numberOfText = [];
    private bool _hasText;

    private string OfColumn => column is null ? "" : $" of {column}";

    /// <summary>Whether there are so many different numbers that their texts are not kept; to be classes, they are read again.</summary>
    public bool AreNumbers { get; private set; }

    /// <summary>Whether it has to be read again, with its texts, since some are no numbers.</summary>
    public bool LacksTexts => AreNumbers && _hasText;

    /// <summary>Some consecutive rows, to be filled on any thread.</summary>
    /// <param name="first">The first row.</param>
    public LabelStretch Stretch(int first) => new(numbers, ids, first, rules, OfColumn);

    /// <summary>Adds the texts of rows that are filled; stretches come in the order of their rows.</summary>
    public void Join(LabelStretch stretch)
    {
        AreNumbers |= stretch.AreNumbers;
        _hasText |= stretch.HasText;
        if (AreNumbers)
            return;
        var indices = _texts.Join(stretch.Texts);
        foreach (ref var id in ids.Span.Slice(stretch.First, stretch.Count))
            id = indices[id];
        foreach (var (index, number) in indices.Zip(stretch.NumberOfText))
        {
            if (index == _numberOfText.Count)
                _numberOfText.Add(number);
        }
    }

    /// <summary>The place of the first text that is no number; -1 if there is none.</summary>
    public int FirstText => AreNumbers ? -1 : _numberOfText.FindIndex(double.IsNaN);

    /// <summary>What some rows hold: how many different numbers and other texts, and whether there is a fraction.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="workspace">Where the numbers are sorted.</param>
    public (int Numbers, int Texts, bool HasFraction) Content(ReadOnlySpan<int> rows, Workspace workspace)
    {
        HashSet<int> texts = [];
        var hasFraction = false;
        foreach (var row in rows)
        {
            var number = numbers.Span[row];
            if (double.IsNaN(number))
                texts.Add(ids.Span[row]);
            else
                hasFraction |= !double.IsInteger(number);
        }

        return (DistinctNumbers.Count(numbers.Span, rows, workspace), texts.Count, hasFraction);
    }

    /// <summary>Says that all rows are there.</summary>
    public void End(Workspace workspace)
    {
        workspace.ReadInOrder<double>(numbers);
        workspace.ReadInOrder<int>(ids);
    }

    /// <summary>Gives back what the column takes. Its numbers and classes are not to be asked for any more.</summary>
    public void Free(Workspace workspace)
    {
        workspace.Free<double>(numbers);
        workspace.Free<int>(ids);
    }

    /// <summary>[rows], the numbers.</summary>
    /// <exception cref="InputException">A label is none.</exception>
    public ReadOnlyMemory<double> Numbers() =>
        FirstText is >= 0 and var text
            ? throw Refusal(
                text,
                "is not a number, as is to be predicted; drop the row" + (column is null ? ", or say --task classification" : "")
            )
            : numbers;

    /// <summary>Refuses a label.</summary>
    /// <param name="id">Its place among the different ones.</param>
    /// <param name="reason">What is wrong with it.</param>
    public InputException Refusal(int id, string reason) =>
        rules.Places.Refuse(_texts.Places[id], $"the label '{CsvText.Shorten(_texts.Words[id])}'{OfColumn} {reason}");

    /// <summary>Refuses the target as a whole.</summary>
    public InputException Refusal(string reason) => FileErrors.In(path, reason);

    /// <summary>The classes: integers in numeric order if all labels are integers, else texts in ordinal order.</summary>
    /// <exception cref="InputException">The labels are numbers but not integers, or all the same.</exception>
    public string[] ClassNames()
    {
        if (FirstText < 0)
            RequireIntegers();
        var areIntegers = _numberOfText.TrueForAll(IsInteger);
        string[] names =
        [
            .. _texts.Words.Select((text, id) => areIntegers ? IntegerName(_numberOfText[id]) : text).Distinct(StringComparer.Ordinal),
        ];
        if (names.Length == 1)
            throw FileErrors.In(path, $"every label is '{CsvText.Shorten(names[0])}'; classes need at least 2 (see --label-column)");
        Array.Sort(names, areIntegers ? CompareIntegers : string.CompareOrdinal);
        return names;
    }

    /// <summary>[rows], the index of each row's label among given classes.</summary>
    /// <param name="classNames">The classes.</param>
    /// <param name="owner">Whose classes they are.</param>
    /// <exception cref="InputException">A label is not among them.</exception>
    public int[] IndicesIn(IReadOnlyList<string> classNames, string owner)
    {
        var classes = ClassesIn(classNames, owner);
        return Array.ConvertAll(ids.ToArray(), id => classes[id]);
    }

    /// <summary>[rows], the place of each label among the different ones.</summary>
    public ReadOnlySpan<int> Ids => ids.Span;

    /// <summary>[different labels], the index of each among given classes.</summary>
    /// <param name="classNames">The classes.</param>
    /// <param name="owner">Whose classes they are.</param>
    /// <exception cref="InputException">A label is not among them.</exception>
    public int[] ClassesIn(IReadOnlyList<string> classNames, string owner)
    {
        var classOf = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < classNames.Count; i++)
            classOf.Add(classNames[i], i);
        var classes = new int[_numberOfText.Count];
        for (var id = 0; id < classes.Length; id++)
        {
            var (text, number) = (_texts.Words[id], _numberOfText[id]);
            if (
                classOf.TryGetValue(text, out classes[id])
                || (IsInteger(number) && classOf.TryGetValue(IntegerName(number), out classes[id]))
            )
            {
                continue;
            }

            throw Refusal(id, $"is not among the {classNames.Count} classes of {owner}");
        }

        return classes;
    }

    private void RequireIntegers()
    {
        var id = _numberOfText.FindIndex(number => !IsInteger(number));
        if (id < 0)
            return;
        var reason = double.IsInteger(_numberOfText[id])
            ? "is too large for a class: from 2^53 on numbers run together; use smaller ones or texts"
            : "is not an integer, as numbers that are classes have to be; see --task and --label-column";
        throw rules.Places.Refuse(_texts.Places[id], $"the label {CsvText.Shorten(_texts.Words[id])} {reason}");
    }

    /// <summary>1, 1.0 and 01 are one class if all labels are integers.</summary>
    private static string IntegerName(double number) => ((long)number).ToString(CultureInfo.InvariantCulture);

    private static bool IsInteger(double number) => Math.Abs(number) < IntegerLimit && double.IsInteger(number);

    private static int CompareIntegers(string left, string right) =>
        long.Parse(left, CultureInfo.InvariantCulture).CompareTo(long.Parse(right, CultureInfo.InvariantCulture));
}
