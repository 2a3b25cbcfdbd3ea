using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// All that decides a run's result, with nothing left to defaults: the content of <c>config.json</c>. Two runs of equal
/// configurations end in the same bits.
/// </summary>
internal sealed record RunConfiguration
{
    /// <summary>The arithmetic's version, <see cref="Checkpoints.NumericsVersion"/>.</summary>
    public required int NumericsVersion { get; init; }

    /// <summary>
    /// The options with nothing left open: the length is in steps, the model is canonical JSON, paths are absolute, and nothing has a
    /// default of null that depends on the data.
    /// </summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>The SHA-256 of the dataset's content.</summary>
    public required string DatasetSha256 { get; init; }

    /// <summary>The SHA-256 of the initial weights in layout order; null if they are drawn from the seed.</summary>
    public required string? InitWeightsSha256 { get; init; }

    /// <summary>The run's last step.</summary>
    public long Steps => Options.Steps!.Value;

    /// <summary>Samples that are summed in one chain.</summary>
    public int Microbatch => Options.Microbatch!.Value;

    /// <summary>Steps from one checkpoint to the next.</summary>
    public long CheckpointEvery => Options.CheckpointEvery!.Value;

    /// <summary>Steps from one evaluation to the next.</summary>
    public long EvalEvery => Options.EvalEvery!.Value;

    /// <summary>Whether the model is evaluated after a step.</summary>
    public bool IsEvaluated(long step) => step % EvalEvery == 0 || step == Steps;

    /// <summary>
    /// Whether the state after a step is saved. Where the weights of the best evaluation are the model, that is each that is evaluated.
    /// </summary>
    public bool IsSaved(long step) => step % CheckpointEvery == 0 || step == Steps || (Options.Patience is not null && IsEvaluated(step));

    /// <summary>Whether a part of the data judges the training while it goes on.</summary>
    public bool HasHoldout => Options.Data.Holdout is not null;

    /// <summary>Settles everything that the options leave open.</summary>
    /// <param name="options">Options without errors.</param>
    /// <param name="dataset">The data that they name.</param>
    /// <param name="model">The model's canonical JSON.</param>
    /// <param name="initWeightsSha256">The hash of the initial weights, if they come from a file.</param>
    /// <exception cref="InvalidOptionsException">
    /// The warm-up is longer than the run, or an option does not go with what the data asks to predict.
    /// </exception>
    public static RunConfiguration Resolve(TrainingOptions options, Dataset dataset, string model, string? initWeightsSha256)
    {
        var stepsPerEpoch = (dataset.Train.Count + options.BatchSize - 1) / options.BatchSize;
        var resolved = options with
        {
            Data = Located(options.Data, dataset) with { Task = dataset.Task, Holdout = HoldoutOf(options.Data, dataset) },
            Model = model,
            Epochs = null,
            Steps = options.TotalSteps(stepsPerEpoch),
            Microbatch = options.ResolvedMicrobatch,
            InitWeights = Absolute(options.InitWeights),
            ClassWeights = dataset.Targets is null ? options.ClassWeights?.For(dataset) : options.ClassWeights, // refused for numbers
            Loss = options.ResolvedLoss(dataset.Task),
            HuberDelta = options.ResolvedHuberDelta,
            CheckpointEvery = options.CheckpointEvery ?? stepsPerEpoch,
            EvalEvery = options.EvalEvery ?? stepsPerEpoch,
        };
        resolved.ThrowIfInvalid();
        if (resolved.Patience is { } patience && dataset.Holdout is null)
        {
            throw new InvalidOptionsException(
                nameof(TrainingOptions),
                [
                    OptionError.Of(
                        nameof(TrainingOptions.Patience),
                        patience,
                        "needs samples that judge the training while it goes on; say {0} 0.1, or a file",
                        $"{nameof(TrainingOptions.Data)}.{nameof(DataOptions.Holdout)}"
                    ),
                ]
            );
        }

        return new RunConfiguration
        {
            NumericsVersion = Checkpoints.NumericsVersion.Current,
            Options = resolved,
            DatasetSha256 = dataset.Sha256,
            InitWeightsSha256 = initWeightsSha256,
        };
    }

    /// <summary>What this run minimises and measures.</summary>
    /// <param name="dataset">Its data.</param>
    /// <param name="judge">The part that it is judged by.</param>
    public Objective CreateObjective(Dataset dataset, DataPart judge = DataPart.Test)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var spread = dataset.Targets is { } targets ? TargetSpread.Of(targets.Count, dataset.Part(judge)) : null;
        return Objective.Create(Options.ObjectiveOf(dataset), spread);
    }

    /// <summary>The batches of this run.</summary>
    /// <param name="sampleCount">Samples in the training set.</param>
    public BatchPlan Batches(int sampleCount) =>
        new(Options.Seed, sampleCount, Options.BatchSize, Microbatch, Options.Shuffle, Options.ShuffleBlock);

    // What lies in memory has a name and no place.
    private static DataOptions Located(DataOptions data, Dataset dataset) => dataset.Source is null ? data : Absolute(data);

    /// <summary>A dataset's name stays; a path becomes the one at which it was found, independent of the current folder.</summary>
    private static DataOptions Absolute(DataOptions data) =>
        data with
        {
            Data = DatasetLoader.List(data).Any(known => known.Name == data.Data) ? data.Data : Found(data.Data, data.DataDir),
            Test = data.Test is null ? null : Found(data.Test, data.DataDir),
            DataDir = Absolute(data.DataDir),
        };

    private static string? HoldoutOf(DataOptions data, Dataset dataset)
    {
        if (dataset.Holdout is null)
            return null;
        return Holdout.Of(data) switch
        {
            { Path: { } path } => Found(path, data.DataDir),
            { } fraction => fraction.ToString(),
            null => Holdout.OfTheData,
        };
    }

    private static string Found(string path, string? dataDir) => Path.GetFullPath(DataPath.PlaceOf(path, dataDir));

    private static string? Absolute(string? path) => path is null ? null : Path.GetFullPath(path);
}
