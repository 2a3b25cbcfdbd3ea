using Distributed.Data;

namespace Distributed.Coordinator.Options;

/// <summary>Which samples of a dataset.</summary>
internal enum DatasetPart
{
    /// <summary>Those held back from training.</summary>
    Test = 0,

    /// <summary>Those trained on.</summary>
    Train,

    /// <summary>Those that judge the training while it goes on.</summary>
    Holdout,

    /// <summary>All of them.</summary>
    All,
}

/// <summary>The options of <c>eval</c>.</summary>
internal sealed record EvalSettings
{
    private static readonly string[] OfModel = ["--task", "--categorical", "--numeric", "--missing", "--weight-column"];

    /// <summary>What is said of the data, beside what the model's run says of its own.</summary>
    public Func<DataOptions, DataOptions> Data { get; init; } = static data => data;

    /// <summary>Which samples.</summary>
    public DatasetPart Part { get; init; } = DatasetPart.Test;

    /// <summary>Whether to show which classes are taken for which.</summary>
    public bool Confusion { get; init; }

    /// <summary>How often each column's values are dealt out anew to see how much the model depends on them; 0 for not at all.</summary>
    public int Importance { get; init; }

    /// <summary>Whether to write one JSON object.</summary>
    public bool Json { get; init; }

    private const int MostRepeats = 1000;

    /// <summary>What is wrong, a line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Importance is < 0 or > MostRepeats)
            yield return $"--importance {Importance}: must be from 0, for none, to {MostRepeats} repeats";
    }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<EvalSettings>> Options { get; } =
    [
        .. DataOptionTable
            .Options.Where(option => !OfModel.Contains(option.Name))
            .Select(option => option.Name == "--data" ? option with { Default = "the data that the run was trained on" } : option)
            .Select(option =>
                option.Deferred<EvalSettings>(new(), settings => settings.Data, (settings, data) => settings with { Data = data })
            ),
        new(
            "--part",
            OptionText.Choices<DatasetPart>(),
            OptionGroups.Data,
            "which samples of the data",
            OptionText.Name(DatasetPart.Test),
            "all",
            (settings, text) => settings with { Part = OptionText.Choice<DatasetPart>(text) }
        ),
        new("--confusion", null, OptionGroups.Display, "show which classes are taken for which", "off", "", (settings, text) =>
            settings with
            {
                Confusion = OptionText.Switch(text),
            }
        ),
        new(
            "--importance",
            "REPEATS",
            OptionGroups.Display,
            "how much the model depends on each column of a table: what its loss rises by where the column's values are dealt out anew among the rows",
            "off",
            "5",
            (settings, text) => settings with { Importance = OptionText.WholeNumber<int>(text) }
        ),
        new("--json", null, OptionGroups.Display, "write the result as one JSON object", "off", "", (settings, text) =>
            settings with
            {
                Json = OptionText.Switch(text),
            }
        ),
    ];
}
