namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>What a process has said on standard error of the reason for its end.</summary>
internal sealed class ErrorOutput
{
    // What the runtime's host says where it cannot start a program at all.
    private static readonly string[] HostFailures =
    [
        "You must install",
        "The application to execute does not exist",
        "An assembly specified in the application dependencies manifest",
        "A fatal error",
        "Failed to",
        "Could not load",
        "Could not find",
        "Framework:",
    ];

    private bool _hasBegun;

    /// <summary>The last line that says something by itself; empty if there is none.</summary>
    public string Last { get; private set; } = "";

    /// <summary>Whether the program was not started: the first line is one of the runtime's host.</summary>
    public bool IsOfHost { get; private set; }

    /// <summary>The first line that says something, with the last one if that is another.</summary>
    public string Summary => First == Last ? First : $"{First} {Last}";

    private string First { get; set; } = "";

    /// <summary>Takes a line.</summary>
    public void Add(string line)
    {
        if (!IsMessage(line))
            return;
        Last = line.Trim();
        if (_hasBegun || Last is "Error:")
            return;
        _hasBegun = true;
        First = Last;
        IsOfHost = HostFailures.Any(start => First.StartsWith(start, StringComparison.Ordinal));
    }

    /// <summary>Whether a line says something by itself, which an empty one and those of a stack trace do not.</summary>
    public static bool IsMessage(string line)
    {
        var words = line.AsSpan().Trim();
        return !words.IsEmpty && !words.StartsWith("at ") && !words.StartsWith("--- ");
    }
}
