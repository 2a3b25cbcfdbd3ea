namespace Distributed.Coordinator.Options;

/// <summary>The options that say what is shown.</summary>
internal static class DisplayOptionTable
{
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
    ];
}
