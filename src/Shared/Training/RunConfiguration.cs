using System.Text.Json.Serialization;
using Distributed.Data;

namespace Distributed.Training;

/// <summary>
/// All that decides a run's result, with nothing left to defaults: the content of <c>config.json</c>. Two runs of equal
/// configurations end in the same bits.
/// </summary>
public sealed record RunConfiguration
{
    /// <summary>The arithmetic's version, <see cref="Checkpoints.NumericsVersion"/>.</summary>
    public required int NumericsVersion { get; init; }

    /// <summary>Where the data comes from; paths are absolute.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>The SHA-256 of the dataset's content.</summary>
    public required string DatasetSha256 { get; init; }

    /// <summary>The layers as canonical JSON.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    public required string Model { get; init; }

    /// <summary>The run's last step.</summary>
    public required long Steps { get; init; }

    /// <summary>Samples of a step over all workers together.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Samples that are summed in one chain.</summary>
    public required int Microbatch { get; init; }

    /// <summary>The part of each training target that is spread over all classes alike.</summary>
    public required double LabelSmoothing { get; init; }

    /// <summary>The optimizer; its learning rate is set.</summary>
    public required OptimizerOptions Optimizer { get; init; }

    /// <summary>How the learning rate changes.</summary>
    public required ScheduleOptions Schedule { get; init; }

    /// <summary>What initial weights and shuffles are drawn from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Whether every epoch has an order of its own.</summary>
    public required bool Shuffle { get; init; }

    /// <summary>The file with the weights to start from, an absolute path; null if they are drawn from the seed.</summary>
    public required string? InitWeights { get; init; }

    /// <summary>The SHA-256 of those weights in layout order; null if they are drawn from the seed.</summary>
    public required string? InitWeightsSha256 { get; init; }

    /// <summary>Steps from one checkpoint to the next.</summary>
    public required long CheckpointEvery { get; init; }

    /// <summary>Steps from one evaluation to the next.</summary>
    public required long EvalEvery { get; init; }

    /// <summary>Settles everything that the options leave open.</summary>
    /// <param name="options">Options without errors.</param>
    /// <param name="dataset">The data that they name.</param>
    /// <param name="model">The model's canonical JSON.</param>
    /// <param name="initWeightsSha256">The hash of the initial weights, if they come from a file.</param>
    /// <exception cref="InputException">The warm-up is longer than the run.</exception>
    public static RunConfiguration Resolve(TrainingOptions options, Dataset dataset, string model, string? initWeightsSha256)
    {
        var stepsPerEpoch = (dataset.Train.Count + options.BatchSize - 1) / options.BatchSize;
        var steps = options.TotalSteps(stepsPerEpoch);
        foreach (var error in options.Schedule.Errors(steps))
            throw new InputException(error);
        return new RunConfiguration
        {
            NumericsVersion = Checkpoints.NumericsVersion.Current,
            Data = Absolute(options.Data),
            DatasetSha256 = dataset.Sha256,
            Model = model,
            Steps = steps,
            BatchSize = options.BatchSize,
            Microbatch = options.ResolvedMicrobatch,
            LabelSmoothing = options.LabelSmoothing,
            Optimizer = options.Optimizer with { LearningRate = options.Optimizer.ResolvedLearningRate },
            Schedule = options.Schedule,
            Seed = options.Seed,
            Shuffle = options.Shuffle,
            InitWeights = Absolute(options.InitWeights),
            InitWeightsSha256 = initWeightsSha256,
            CheckpointEvery = options.CheckpointEvery ?? stepsPerEpoch,
            EvalEvery = options.EvalEvery ?? stepsPerEpoch,
        };
    }

    /// <summary>The batches of this run.</summary>
    /// <param name="sampleCount">Samples in the training set.</param>
    public BatchPlan Batches(int sampleCount) => new(Seed, sampleCount, BatchSize, Microbatch, Shuffle);

    /// <summary>The options that resolve to this configuration: what <c>--resume</c> starts from.</summary>
    public TrainingOptions ToOptions() =>
        new()
        {
            Data = Data,
            Model = Model,
            Steps = Steps,
            BatchSize = BatchSize,
            Microbatch = Microbatch,
            LabelSmoothing = LabelSmoothing,
            Optimizer = Optimizer,
            Schedule = Schedule,
            Seed = Seed,
            Shuffle = Shuffle,
            InitWeights = InitWeights,
            CheckpointEvery = CheckpointEvery,
            EvalEvery = EvalEvery,
        };

    /// <summary>A dataset's name stays; a path becomes independent of the current folder.</summary>
    private static DataOptions Absolute(DataOptions data) =>
        data with
        {
            Data = DatasetLoader.List(data).Any(known => known.Name == data.Data) ? data.Data : Path.GetFullPath(data.Data),
            Test = Absolute(data.Test),
            DataDir = Absolute(data.DataDir),
        };

    private static string? Absolute(string? path) => path is null ? null : Path.GetFullPath(path);
}
