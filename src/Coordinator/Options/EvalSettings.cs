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

    /// <summary>Whether to write one JSON object.</summary>
    public bool Json { get; init; }

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
        new("--json", null, OptionGroups.Display, "write the result as one JSON object", "off", "", (settings, text) =>
            settings with
            {
                Json = OptionText.Switch(text),
            }
        ),
    ];
}
