namespace Distributed.Data;

/// <summary>Refusals of data files, all in the form <c>file: place: reason</c>, in one line whatever the file holds.</summary>
internal static class FileErrors
{
    /// <summary>Refuses a whole file or folder.</summary>
    public static InputException In(string path, string reason, Exception? inner = null) => new(Printable.Of($"{path}: {reason}"), inner);

    /// <summary>Refuses several things in a file, each in a line of its own.</summary>
    public static InputException AllIn(string path, IReadOnlyList<string> reasons) => All([.. reasons.Select(reason => In(path, reason))]);

    /// <summary>Joins refusals, each in a line of its own.</summary>
    public static InputException All(IReadOnlyList<InputException> refusals)
    {
        const int most = 20;
        var lines = refusals.Take(most).Select(refusal => refusal.Message);
        return new(string.Join('\n', refusals.Count > most ? lines.Append($"and {refusals.Count - most} more") : lines));
    }

    /// <summary>Refuses a place in a binary file, counted in bytes of its uncompressed content.</summary>
    public static InputException AtOffset(string path, long offset, string reason) => In(path, $"offset {offset}: {reason}");

    /// <summary>Refuses a line of a text file, counted from 1.</summary>
    public static InputException AtLine(string path, long line, string reason, Exception? inner = null) =>
        In(path, $"line {line}: {reason}", inner);
}
