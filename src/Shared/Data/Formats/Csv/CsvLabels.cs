using System.Globalization;
using System.Runtime.InteropServices;

namespace Distributed.Data.Formats.Csv;

/// <summary>The label column of a CSV file, and the classes or numbers in it.</summary>
/// <param name="path">Where it was read from.</param>
/// <param name="dialect">How numbers are written.</param>
/// <param name="column">How messages name the column; null where there is only one.</param>
internal sealed class CsvLabels(string path, CsvDialect dialect, string? column = null)
{
    // Below this every integer is a double of its own, so that no two labels become one.
    private const double IntegerLimit = 1L << 53;

    private readonly Dictionary<string, int> _idOfText = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly List<int> _lines = [];
    private readonly List<int> _ids = [];

    private string OfColumn => column is null ? "" : $" of {column}";

    /// <summary>Number of rows.</summary>
    public int Count => _ids.Count;

    /// <summary>Adds the label of a row.</summary>
    /// <exception cref="InputException">It is empty, not a number, or not UTF-8.</exception>
    public void Add(CsvCell cell, int line)
    {
        var text = CsvText.Of(cell, path, line);
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(_idOfText, text, out var isKnown);
        if (!isKnown)
        {
            RequireUsable(text, line);
            id = _texts.Count;
            _texts.Add(text);
            _lines.Add(line);
        }

        _ids.Add(id);
    }

    /// <summary>The place of the first text that is no number; -1 if there is none.</summary>
    public int FirstText => _texts.FindIndex(text => Number(text) is null);

    /// <summary>What some rows hold: how many different numbers and other texts, and whether there is a fraction.</summary>
    public (int Numbers, int Texts, bool HasFraction) Content(ReadOnlySpan<int> rows)
    {
        var isSeen = new bool[_texts.Count];
        foreach (var row in rows)
            isSeen[_ids[row]] = true;
        HashSet<double> numbers = [];
        var texts = 0;
        for (var id = 0; id < isSeen.Length; id++)
        {
            if (!isSeen[id])
                continue;
            if (Number(_texts[id]) is { } number)
                numbers.Add(number);
            else
                texts++;
        }

        return (numbers.Count, texts, numbers.Any(number => !double.IsInteger(number)));
    }

    /// <summary>[rows], the numbers.</summary>
    /// <exception cref="InputException">A label is none.</exception>
    public double[] Numbers()
    {
        var remedy = column is null ? "drop the row, or say --task classification" : "drop the row";
        if (FirstText is >= 0 and var text)
            throw Refusal(text, $"is not a number, as is to be predicted; {remedy}");
        double[] numbers = [.. _texts.Select(one => Number(one)!.Value)];
        return [.. _ids.Select(id => numbers[id])];
    }

    /// <summary>Refuses a label.</summary>
    /// <param name="id">Its place among the different ones.</param>
    /// <param name="reason">What is wrong with it.</param>
    public InputException Refusal(int id, string reason) =>
        FileErrors.AtLine(path, _lines[id], $"the label '{CsvText.Shorten(_texts[id])}'{OfColumn} {reason}");

    /// <summary>Refuses the target as a whole.</summary>
    public InputException Refusal(string reason) => FileErrors.In(path, reason);

    /// <summary>The classes: integers in numeric order if all labels are integers, else texts in ordinal order.</summary>
    /// <exception cref="InputException">The labels are numbers but not integers, or all the same.</exception>
    public string[] ClassNames()
    {
        if (_texts.TrueForAll(text => Number(text) is not null))
            RequireIntegers();
        var areIntegers = _texts.TrueForAll(IsInteger);
        string[] names = [.. _texts.Select(text => areIntegers ? IntegerName(text) : text).Distinct(StringComparer.Ordinal)];
        if (names.Length == 1)
            throw FileErrors.In(path, $"every label is '{CsvText.Shorten(names[0])}'; classes need at least 2 (see --label-column)");
        Array.Sort(names, areIntegers ? CompareIntegers : string.CompareOrdinal);
        return names;
    }

    /// <summary>[Count], the index of each row's label among given classes.</summary>
    /// <param name="classNames">The classes.</param>
    /// <param name="owner">Whose classes they are.</param>
    /// <exception cref="InputException">A label is not among them.</exception>
    public int[] IndicesIn(IReadOnlyList<string> classNames, string owner)
    {
        var classOf = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < classNames.Count; i++)
            classOf.Add(classNames[i], i);
        var classes = new int[_texts.Count];
        for (var id = 0; id < classes.Length; id++)
        {
            var text = _texts[id];
            if (classOf.TryGetValue(text, out classes[id]) || (IsInteger(text) && classOf.TryGetValue(IntegerName(text), out classes[id])))
                continue;
            throw FileErrors.AtLine(
                path,
                _lines[id],
                $"the label '{CsvText.Shorten(text)}' is not among the {classNames.Count} classes of {owner}"
            );
        }

        return [.. _ids.Select(id => classes[id])];
    }

    private void RequireUsable(string text, int line)
    {
        if (text.Length == 0)
            throw FileErrors.AtLine(path, line, $"the label{OfColumn} is empty");
        if (Number(text) is double number && !double.IsFinite(number))
            throw FileErrors.AtLine(path, line, $"the label{OfColumn} is {text}; drop the row");
    }

    private void RequireIntegers()
    {
        var id = _texts.FindIndex(text => !IsInteger(text));
        if (id < 0)
            return;
        var reason = double.IsInteger(Number(_texts[id])!.Value)
            ? "is too large for a class: from 2^53 on numbers run together; use smaller ones or texts"
            : "is not an integer, as numbers that are classes have to be; see --task and --label-column";
        throw FileErrors.AtLine(path, _lines[id], $"the label {CsvText.Shorten(_texts[id])} {reason}");
    }

    /// <summary>1, 1.0 and 01 are one class if all labels are integers.</summary>
    private string IntegerName(string text) => ((long)Number(text)!.Value).ToString(CultureInfo.InvariantCulture);

    private double? Number(string text) => dialect.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var value) ? value : null;

    private bool IsInteger(string text) => Number(text) is double value && Math.Abs(value) < IntegerLimit && double.IsInteger(value);

    private static int CompareIntegers(string left, string right) =>
        long.Parse(left, CultureInfo.InvariantCulture).CompareTo(long.Parse(right, CultureInfo.InvariantCulture));
}
