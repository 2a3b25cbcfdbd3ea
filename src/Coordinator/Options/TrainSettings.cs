using Distributed.Checkpoints;
using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Runs;
using Distributed.Training;

namespace Distributed.Coordinator.Options;

/// <summary>All options of <c>train</c>.</summary>
internal sealed record TrainSettings
{
    /// <summary>What decides the result.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <summary>Who does the work.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>The run folder; null for a new one with a name of its own.</summary>
    public string? Run { get; init; }

    /// <summary>Whether to go on with the run in that folder.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether to begin the run if the folder to resume holds none.</summary>
    public bool MayBegin { get; init; }

    /// <summary>How many of the newest checkpoints are kept, beside that of the best evaluation.</summary>
    public int KeepCheckpoints { get; init; } = CheckpointStore.DefaultKeep;

    /// <summary>What is shown while it trains.</summary>
    public DisplayOptions Display { get; init; } = new();

    /// <summary>Where it can be watched in a browser.</summary>
    public DashboardOptions Dashboard { get; init; } = new();

    /// <summary>Every bad value, one line each: the option, the value, and what would be right.</summary>
    /// <param name="table">Knows the options of the training's properties.</param>
    internal IReadOnlyList<string> Validate(OptionTable<TrainSettings> table) =>
        [
            .. table.Lines(Training.Validate()),
            .. ModelErrors(Training.Model),
            .. Cluster.Validate(),
            .. FolderErrors(),
            .. Display.Validate(),
            .. Dashboard.Validate(),
        ];

    /// <summary>What is wrong with a value of <c>--model</c>, in one line.</summary>
    internal static IEnumerable<string> ModelErrors(string model)
    {
        string? error = null;
        try
        {
            RunPreparation.ParseModel(model);
        }
        catch (InputException exception)
        {
            error = $"--model {model}: {exception.Message}";
        }
        if (error is not null)
            yield return error;
    }

    private IEnumerable<string> FolderErrors()
    {
        if (Resume && Run is null)
            yield return "--resume: needs --run DIR, the folder of the run to go on with";
        if (KeepCheckpoints < 1)
            yield return $"--keep-checkpoints {KeepCheckpoints}: must be at least 1";
    }
}
