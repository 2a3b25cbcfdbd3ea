using System.Globalization;
using System.Text.Json.Serialization;
using Distributed.Data;
using Distributed.Model;
using Distributed.Objectives;

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

    /// <summary>The default of <see cref="HuberDelta"/>.</summary>
    public const double DefaultHuberDelta = 1;

    private const string TaskPath = $"{nameof(Data)}.{nameof(DataOptions.Task)}";
    private const string ForClasses = "belongs to classes, and this data has numbers; leave it out, or say {0} classification";
    private const string ForNumbers = "belongs to numbers, and this data has classes; leave it out, or say {0} regression";

    /// <summary>The defaults for tables: of the model <c>table</c>.</summary>
    public static TrainingOptions ForTables { get; } =
        new()
        {
            Model = ModelPresets.Table,
            Epochs = 20,
            BatchSize = 256,
            Optimizer = new AdamWOptions { LearningRate = 0.002, WeightDecay = 1 },
        };

    /// <summary>What to train on.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>A preset such as <c>mlp</c>, the path of a model file, or a model's JSON itself.</summary>
    [JsonConverter(typeof(RawJsonConverter))]
    public string Model { get; init; } = "mlp";

    /// <summary>Passes over the training set; null for <see cref="DefaultEpochs"/> or if <see cref="Steps"/> says how long.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Epochs { get; init; }

    /// <summary>Steps of the whole run, instead of <see cref="Epochs"/>.</summary>
    public long? Steps { get; init; }

    /// <summary>Samples of a step over all workers together.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Samples that are summed in one chain; null for the smaller of 32 and the batch size.</summary>
    public int? Microbatch { get; init; }

    /// <summary>The part of each training target that is spread over all classes alike, 0 to below 1.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>How much the loss of a training sample counts by its class; null if all count alike.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // runs that began without it go on
    public ClassWeights? ClassWeights { get; init; }

    /// <summary>What is minimised where numbers are predicted; null for <see cref="RegressionLoss.Squared"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // classes have none, as runs of earlier versions
    public RegressionLoss? Loss { get; init; }

    /// <summary>
    /// Where a Huber loss becomes a straight line, in deviations of the target; null for <see cref="DefaultHuberDelta"/>, and for other losses.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? HuberDelta { get; init; }

    /// <summary>The rule that changes the weights, and its constants.</summary>
    public OptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>How the learning rate changes over the run.</summary>
    public ScheduleOptions Schedule { get; init; } = new CosineSchedule();

    /// <summary>What initial weights and shuffles are drawn from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether every epoch has an order of its own; otherwise samples are taken in file order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>
    /// Consecutive samples that are shuffled among themselves, their blocks in an order of their own in every epoch: what a step takes lies together,
    /// which a disk reads faster than single samples. Null shuffles all samples. The fewer, the less the batches of two epochs differ.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // runs that began without it go on
    public int? ShuffleBlock { get; init; }

    /// <summary>A safetensors file with the weights to start from; null draws them from the seed.</summary>
    public string? InitWeights { get; init; }

    /// <summary>Steps from one checkpoint to the next; null for one in each epoch.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>Steps from one evaluation on the test set to the next; null for one after each epoch.</summary>
    public long? EvalEvery { get; init; }

    /// <summary>
    /// After how many evaluations in a row without a lower held-out loss training stops; the weights of the best one are the model. Null to
    /// train to the end and take the last weights. It needs <see cref="DataOptions.Holdout"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // runs that began without it go on
    public int? Patience { get; init; }

    /// <summary>The microbatch, or its default.</summary>
    public int ResolvedMicrobatch => Microbatch ?? Math.Min(DefaultMicrobatch, BatchSize);

    /// <summary>Every bad value.</summary>
    public IReadOnlyList<OptionError> Validate() =>
        [
            .. LengthErrors(),
            .. BatchErrors(),
            .. LabelErrors(),
            .. WeightErrors(),
            .. LossErrors(),
            .. Optimizer.Errors().Select(error => error.Within(nameof(Optimizer))),
            .. Schedule.Errors(Steps is > 0 ? Steps : null).Select(error => error.Within(nameof(Schedule))),
            .. IntervalErrors(),
        ];

    /// <summary>Refuses options with bad values.</summary>
    /// <exception cref="InvalidOptionsException">Names every bad value.</exception>
    public void ThrowIfInvalid()
    {
        if (Validate() is { Count: > 0 } errors)
            throw new InvalidOptionsException(nameof(TrainingOptions), errors);
    }

    /// <summary>The steps of a run of these options.</summary>
    /// <param name="stepsPerEpoch">Batches in the training set.</param>
    public long TotalSteps(int stepsPerEpoch) => Steps ?? (long)(Epochs ?? DefaultEpochs) * stepsPerEpoch;

    /// <summary>What these options make of data.</summary>
    /// <param name="dataset">The data.</param>
    internal ObjectiveSpec ObjectiveOf(Dataset dataset)
    {
        ObjectiveSpec objective = dataset.Targets is { } targets
            ? new RegressionSpec(targets, ResolvedLoss(dataset.Task)!.Value, ResolvedHuberDelta)
            : new ClassificationSpec(dataset.ClassNames.Count, LabelSmoothing, ClassWeights?.For(dataset).Numbers);
        return objective with { HasWeights = dataset.HasWeights };
    }

    /// <summary>The loss, or its default for a task that has one.</summary>
    internal RegressionLoss? ResolvedLoss(LearningTask task) => Loss ?? (task == LearningTask.Regression ? RegressionLoss.Squared : null);

    /// <summary>The delta, or its default for the loss that has one.</summary>
    internal double? ResolvedHuberDelta => HuberDelta ?? (Loss == RegressionLoss.Huber ? DefaultHuberDelta : null);

    private IEnumerable<OptionError> LengthErrors()
    {
        if (Epochs is not null && Steps is { } steps)
            yield return OptionError.Of(nameof(Steps), steps, "cannot be given together with {0}; leave one of them out", nameof(Epochs));
        if (AtLeastOne(nameof(Epochs), Epochs) is { } epochsError)
            yield return epochsError;
        if (AtLeastOne(nameof(Steps), Steps) is { } stepsError)
            yield return stepsError;
    }

    private IEnumerable<OptionError> BatchErrors()
    {
        if (BatchSize is < 1 or > MaximumBatchSize)
            yield return OptionError.Of(nameof(BatchSize), BatchSize, Text($"must be from 1 to {MaximumBatchSize}"));
        if (AtLeastOne(nameof(Microbatch), Microbatch) is { } error)
            yield return error;
        else if (Microbatch is { } microbatch && BatchSize >= 1 && microbatch > BatchSize)
            yield return OptionError.Of(nameof(Microbatch), microbatch, Text($"must be at most the batch size, {BatchSize}"));
        if (AtLeastOne(nameof(ShuffleBlock), ShuffleBlock, " sample") is { } blockError)
            yield return blockError;
        else if (ShuffleBlock is { } block && !Shuffle)
            yield return OptionError.Of(nameof(ShuffleBlock), block, "does not go with {0}; leave one of them out", nameof(Shuffle));
    }

    private IEnumerable<OptionError> LabelErrors()
    {
        var isFraction = LabelSmoothing >= 0 && (float)LabelSmoothing < 1;
        if (!isFraction)
            yield return OptionError.Of(nameof(LabelSmoothing), LabelSmoothing, "must be from 0 to below 1");
        else if (LabelSmoothing != 0 && Data.Task == LearningTask.Regression)
            yield return OptionError.Of(nameof(LabelSmoothing), LabelSmoothing, ForClasses, TaskPath);
    }

    private IEnumerable<OptionError> WeightErrors()
    {
        if (ClassWeights is not { } weights)
            yield break;
        if (Data.Task == LearningTask.Regression)
            yield return new OptionError(nameof(ClassWeights), weights.ToString(), ForClasses, TaskPath);
        else if (weights.Numbers?.All(number => (float)number > 0 && float.IsFinite((float)number)) == false)
            yield return new OptionError(nameof(ClassWeights), weights.ToString(), "must be numbers above 0");
    }

    private IEnumerable<OptionError> LossErrors()
    {
        if (Loss is { } loss && Data.Task == LearningTask.Classification)
            yield return new OptionError(nameof(Loss), loss.ToString().ToLowerInvariant(), ForNumbers, TaskPath);
        if (HuberDelta is not { } delta)
            yield break;
        if (!((float)delta > 0 && float.IsFinite((float)delta)))
            yield return OptionError.Of(nameof(HuberDelta), delta, "must be a number above 0");
        else if (Loss != RegressionLoss.Huber)
            yield return OptionError.Of(nameof(HuberDelta), delta, "belongs to {0} huber; say that too, or leave it out", nameof(Loss));
    }

    private IEnumerable<OptionError> IntervalErrors()
    {
        if (AtLeastOne(nameof(CheckpointEvery), CheckpointEvery, " step") is { } checkpointError)
            yield return checkpointError;
        if (AtLeastOne(nameof(EvalEvery), EvalEvery, " step") is { } evalError)
            yield return evalError;
        if (AtLeastOne(nameof(Patience), Patience, " evaluation") is { } patienceError)
            yield return patienceError;
    }

    private static OptionError? AtLeastOne(string property, long? value, string unit = "") =>
        value is { } number && number < 1 ? OptionError.Of(property, number, $"must be at least 1{unit}") : null;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
