using Distributed.Hosting;

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

    /// <summary>What is logged on standard error, by the workers that are started here as well.</summary>
    public LogSettings Logs { get; init; } = new();

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
        new(
            "--log-level",
            string.Join('|', LogSettings.Levels.Select(level => level.Name)),
            OptionGroups.Display,
            "what is logged on standard error, by local workers as well; debug shows who waits for whom, and every decision",
            new LogSettings().LevelName,
            "debug",
            (options, text) => options with { Logs = options.Logs with { Level = LogSettings.LevelOf(text) } }
        ),
        new(
            "--log-format",
            OptionText.Choices<LogFormat>(),
            OptionGroups.Display,
            "how it is logged; json is an object a line",
            OptionText.Name(LogFormat.Text),
            "json",
            (options, text) => options with { Logs = options.Logs with { Format = OptionText.Choice<LogFormat>(text) } }
        ),
    ];

    /// <summary>Every contradiction, one line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Quiet && Json)
            yield return "--quiet: contradicts --json; give one of them";
    }
}
