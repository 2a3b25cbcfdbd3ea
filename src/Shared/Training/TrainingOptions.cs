using System.Globalization;
using Distributed.Data;

namespace Distributed.Training;

/// <summary>
/// All that a person can say about what is trained, before data and model are known. The defaults are here and nowhere else.
/// </summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the training set where neither epochs nor steps are given.</summary>
    public const int DefaultEpochs = 10;

    /// <summary>The largest default microbatch.</summary>
    public const int DefaultMicrobatch = 32;

    /// <summary>The most samples in a batch.</summary>
    public const int MaximumBatchSize = 1 << 20;

    /// <summary>What to train on.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>A preset such as <c>mlp</c>, the path of a model file, or a model's JSON itself.</summary>
    public string Model { get; init; } = "mlp";

    /// <summary>Passes over the training set; null for <see cref="DefaultEpochs"/> or if <see cref="Steps"/> says how long.</summary>
    public int? Epochs { get; init; }

    /// <summary>Steps of the whole run, instead of <see cref="Epochs"/>.</summary>
    public long? Steps { get; init; }

    /// <summary>Samples of a step over all workers together.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Samples that are summed in one chain; null for the smaller of 32 and the batch size.</summary>
    public int? Microbatch { get; init; }

    /// <summary>The part of each training target that is spread over all classes alike, 0 to below 1.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>The rule that changes the weights, and its constants.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>How the learning rate changes over the run.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>What initial weights and shuffles are drawn from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether every epoch has an order of its own; otherwise samples are taken in file order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>A safetensors file with the weights to start from; null draws them from the seed.</summary>
    public string? InitWeights { get; init; }

    /// <summary>Steps from one checkpoint to the next; null for one in each epoch.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>Steps from one evaluation on the test set to the next; null for one after each epoch.</summary>
    public long? EvalEvery { get; init; }

    /// <summary>The microbatch, or its default.</summary>
    public int ResolvedMicrobatch => Microbatch ?? Math.Min(DefaultMicrobatch, BatchSize);

    /// <summary>Every bad value, one line each: the option, the value, and what would be right.</summary>
    public IReadOnlyList<string> Validate() =>
        [
            .. LengthErrors(),
            .. BatchErrors(),
            .. LabelErrors(),
            .. Optimizer.Errors(),
            .. Schedule.Errors(Steps is > 0 ? Steps : null),
            .. IntervalErrors(),
        ];

    /// <summary>The steps of a run of these options.</summary>
    /// <param name="stepsPerEpoch">Batches in the training set.</param>
    public long TotalSteps(int stepsPerEpoch) => Steps ?? (long)(Epochs ?? DefaultEpochs) * stepsPerEpoch;

    private IEnumerable<string> LengthErrors()
    {
        if (Epochs is not null && Steps is not null)
            yield return Line("--steps", Steps.Value, "cannot be given together with --epochs; leave one of them out");
        if (Epochs < 1)
            yield return Line("--epochs", Epochs.Value, "must be at least 1");
        if (Steps < 1)
            yield return Line("--steps", Steps.Value, "must be at least 1");
    }

    private IEnumerable<string> BatchErrors()
    {
        if (BatchSize is < 1 or > MaximumBatchSize)
        {
            yield return Line(
                "--batch-size",
                BatchSize,
                string.Create(CultureInfo.InvariantCulture, $"must be from 1 to {MaximumBatchSize}")
            );
        }

        if (Microbatch < 1)
        {
            yield return Line("--microbatch", Microbatch.Value, "must be at least 1");
        }
        else if (BatchSize >= 1 && Microbatch > BatchSize)
        {
            yield return Line(
                "--microbatch",
                Microbatch.Value,
                string.Create(CultureInfo.InvariantCulture, $"must be at most the batch size, {BatchSize}")
            );
        }
    }

    private IEnumerable<string> LabelErrors()
    {
        var isFraction = LabelSmoothing >= 0 && (float)LabelSmoothing < 1;
        if (!isFraction)
            yield return string.Create(CultureInfo.InvariantCulture, $"--label-smoothing {LabelSmoothing}: must be from 0 to below 1");
    }

    private IEnumerable<string> IntervalErrors()
    {
        if (CheckpointEvery < 1)
            yield return Line("--checkpoint-every", CheckpointEvery.Value, "must be at least 1 step");
        if (EvalEvery < 1)
            yield return Line("--eval-every", EvalEvery.Value, "must be at least 1 step");
    }

    private static string Line(string option, long value, string remedy) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} {value}: {remedy}");
}
