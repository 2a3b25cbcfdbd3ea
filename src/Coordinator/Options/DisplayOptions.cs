namespace Distributed.Coordinator.Options;

/// <summary>What a command shows while it works. The defaults are here and nowhere else.</summary>
internal sealed record DisplayOptions
{
    /// <summary>Whether only the result is shown.</summary>
    public bool Quiet { get; init; }

    /// <summary>Whether progress is one JSON object per event on standard output, and nothing else is written there.</summary>
    public bool Json { get; init; }

    /// <summary>Whether the curves are also written for TensorBoard.</summary>
    public bool TensorBoard { get; init; }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<DisplayOptions>> Options { get; } =
    [
        new("--quiet", null, OptionGroups.Display, "show the result only", "off", "", (options, text) =>
            options with
            {
                Quiet = OptionText.Switch(text),
            }
        ),
        new(
            "--json",
            null,
            OptionGroups.Display,
            "write one JSON object per event to standard output, and nothing else",
            "off",
            "",
            (options, text) => options with { Json = OptionText.Switch(text) }
        ),
        new(
            "--tensorboard",
            null,
            OptionGroups.Display,
            "write the curves into the run folder for TensorBoard too (tensorboard --logdir runs)",
            "off",
            "",
            (options, text) => options with { TensorBoard = OptionText.Switch(text) }
        ),
    ];

    /// <summary>Every contradiction, one line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Quiet && Json)
            yield return "--quiet: contradicts --json; give one of them";
    }
}
