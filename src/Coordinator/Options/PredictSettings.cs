using Distributed.Data;
using Distributed.Data.Formats;

namespace Distributed.Coordinator.Options;

/// <summary>How predictions are written.</summary>
internal enum PredictionFormat
{
    /// <summary>Comma-separated, under a header.</summary>
    Csv = 0,

    /// <summary>One JSON object a line.</summary>
    Jsonl,
}

/// <summary>The options of <c>predict</c>.</summary>
internal sealed record PredictSettings
{
    private static readonly string[] DataNames = ["--data", "--data-dir", "--label-column", "--header", "--decimal-comma", "--ignore"];

    /// <summary>The samples; an empty name if none is given.</summary>
    public DataOptions Data { get; init; } = new() { Data = "" };

    /// <summary>How predictions are written.</summary>
    public PredictionFormat Format { get; init; } = PredictionFormat.Csv;

    /// <summary>The file to write; null for standard output.</summary>
    public string? Out { get; init; }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<PredictSettings>> Options { get; } =
    [
        .. DataOptionTable
            .Options.Where(option => DataNames.Contains(option.Name))
            .Select(Describe)
            .Select(option => option.Within<PredictSettings>(settings => settings.Data, (settings, data) => settings with { Data = data })),
        new(
            "--format",
            OptionText.Choices<PredictionFormat>(),
            OptionGroups.Display,
            "how predictions are written",
            OptionText.Name(PredictionFormat.Csv),
            "jsonl",
            (settings, text) => settings with { Format = OptionText.Choice<PredictionFormat>(text) }
        ),
        new(
            "--out",
            "FILE",
            OptionGroups.Display,
            "the file to write, complete or not at all",
            "standard output",
            "predictions.csv",
            (settings, text) => settings with { Out = OptionText.NotEmpty(text) }
        ),
    ];

    /// <summary>What is wrong with the settings.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Data.Data.Length == 0)
            yield return "--data: is missing; name the samples to predict, such as --data new.csv, or - for CSV from standard input";
    }

    private static OptionSpec<DataOptions> Describe(OptionSpec<DataOptions> option) =>
        option.Name switch
        {
            "--data" => option with
            {
                Value = "PATH|-",
                Help = $"samples to predict: {DataFormat.Summaries}, or the test set of a folder; - is CSV from standard input",
                Default = "must be named",
            },
            "--label-column" => option with
            {
                Help = "a column of a CSV file that is left aside, by name or counted from 0",
                Default = "the target's own, if it is there",
            },
            _ => option,
        };
}
