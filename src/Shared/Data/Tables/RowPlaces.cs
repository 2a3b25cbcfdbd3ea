namespace Distributed.Data.Tables;

/// <summary>
/// Names for people where rows and cells were read. A place is a number that ascends in the order of the rows, over all files of a table;
/// only a message makes a file and a line of it.
/// </summary>
/// <param name="parts">The files, each with its first place.</param>
/// <param name="describe">Names a place in a file, such as <c>line 3</c>; takes the file's index and the distance from its first place.</param>
internal sealed class RowPlaces(IReadOnlyList<(string Path, long First)> parts, Func<int, long, string> describe)
{
    /// <summary>Rows of one table that are counted from 0.</summary>
    /// <param name="path">What the table is called.</param>
    public static RowPlaces OfRows(string path) =>
        new([(path, 0)], (_, row) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"row {row}"));

    /// <summary>A place in a message about the whole table: <c>line 3</c>, or of several files <c>part-1.csv line 3</c>.</summary>
    public string Of(long place)
    {
        var part = PartOf(place);
        var name = describe(part, place - parts[part].First);
        return parts.Count == 1 ? name : $"{Path.GetFileName(parts[part].Path)} {name}";
    }

    /// <summary>Refuses what stands at a place.</summary>
    public InputException Refuse(long place, string reason, Exception? inner = null)
    {
        var part = PartOf(place);
        return FileErrors.In(parts[part].Path, $"{describe(part, place - parts[part].First)}: {reason}", inner);
    }

    private int PartOf(long place)
    {
        var part = parts.Count - 1;
        while (parts[part].First > place)
            part--;
        return part;
    }
}
