namespace Distributed.Coordinator.Options;

/// <summary>What a command shows while it works. The defaults are here and nowhere else.</summary>
internal sealed record DisplayOptions
{
    /// <summary>Whether only the result is shown.</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether progress is one JSON object per event on standard output, and nothing else is written there.</summary>
    public bool Json { get; init; }

    /// <summary>Every contradiction, one line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Quiet && Json)
            yield return "--quiet: contradicts --json; give one of them";
    }
}
