using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class TrainerTests
{
    private static readonly TrainingOptions Options = new()
    {
        Model = "mlp:9,5",
        BatchSize = 600,
        Microbatch = 37,
        Steps = 7,
        EvalEvery = 3,
    };

    [Fact]
    public void TrainingFromCodeEndsInTheBitsOfARun()
    {
        var prepared = RunPreparation.Load(Options);
        using LocalTrainer trainer = new(
            prepared.Settings,
            TinyRun.Data,
            prepared.Configuration.Batches(TinyRun.Data.Train.Count),
            threads: 1
        );
        trainer.State.Restore(prepared.InitialState());
        for (var step = 0; step < 7; step++)
            trainer.Step();

        var result = new Trainer(TinyRun.Data, Options) { Threads = 2 }.Train();
        Assert.Equal(WeightsHash.Compute(trainer.State.Weights.Span), result.Model.WeightsSha256);
        Assert.Equal(7, result.Steps);
        var sums = trainer.Evaluate(DataPart.Test);
        Assert.Equal((double)sums.Counts[0] / sums.Samples, result.Test["accuracy"]);
        Assert.Equal((double)sums.Loss / sums.Samples, result.Test.Loss);
    }

    [Fact]
    public void EveryStepIsToldAndTheEvaluatedOnesWithTheirScore()
    {
        Recorder progress = new();
        new Trainer(TinyRun.Data, Options) { Threads = 1 }.Train(progress);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], progress.Told.Select(told => told.Step));
        Assert.Equal([1, 1, 1, 2, 2, 2, 3], progress.Told.Select(told => told.Epoch));
        Assert.Equal([3, 6, 7], progress.Told.Where(told => told.Test is not null).Select(told => told.Step));
        Assert.All(progress.Told, told => Assert.Equal(7, told.TotalSteps));
    }

    [Fact]
    public void BadValuesAreNamedAsProperties()
    {
        var trainer = new Trainer(TinyRun.Data, Options with { BatchSize = 0, LabelSmoothing = 2 });
        var message = Assert.ThrowsAny<InputException>(() => trainer.Train()).Message;
        Assert.Contains("TrainingOptions.BatchSize 0: must be from 1 to ", message, StringComparison.Ordinal);
        Assert.Contains("TrainingOptions.LabelSmoothing 2: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelThatDoesNotGoWithTheDataIsRefused() =>
        Assert.Contains(
            "use a model without convolutions",
            Assert.Throws<InputException>(() => new Trainer(Points(10), Options with { Model = "cnn" }).Train()).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void ADivergedTrainingSaysAtWhichStep()
    {
        var options = Options with { BatchSize = 10, Microbatch = 10 };
        var failure = Assert.Throws<RunFailedException>(() => new Trainer(Points(1e30f), options).Train());
        Assert.Contains(" at step ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACancelledTrainingStopsBetweenSteps()
    {
        using CancellationTokenSource source = new();
        Recorder progress = new(told =>
        {
            if (told.Step == 2)
                source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => new Trainer(TinyRun.Data, Options).Train(progress, source.Token));
        Assert.Equal(2, progress.Told.Count);
    }

    /// <summary>Unscaled points of a size, so that a huge one overflows.</summary>
    private static Dataset Points(float size) =>
        Dataset.FromArrays(
            [.. Enumerable.Range(0, 50).Select(i => new[] { i % 2 * size, i % 3 * size })],
            [.. Enumerable.Range(0, 50).Select(i => i % 2)],
            new ArrayOptions { Standardize = false }
        );

    private sealed class Recorder(Action<TrainingProgress>? then = null) : IProgress<TrainingProgress>
    {
        public List<TrainingProgress> Told { get; } = [];

        public void Report(TrainingProgress value)
        {
            Told.Add(value);
            then?.Invoke(value);
        }
    }
}
