namespace Distributed.Coordinator.Options;

/// <summary>The options of <c>runs</c>.</summary>
internal sealed record RunsSettings
{
    /// <summary>Whether to set runs against each other.</summary>
    public bool Compare { get; init; }

    /// <summary>Whether to write one JSON object a run.</summary>
    public bool Json { get; init; }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<RunsSettings>> Options { get; } =
    [
        new(
            "--compare",
            null,
            OptionGroups.Display,
            "set runs of the same data against each other: the options that differ, the curves, and the outcome",
            "off",
            "",
            (settings, text) => settings with { Compare = OptionText.Switch(text) }
        ),
        new("--json", null, OptionGroups.Display, "write one JSON object a run", "off", "", (settings, text) =>
            settings with
            {
                Json = OptionText.Switch(text),
            }
        ),
    ];
}
