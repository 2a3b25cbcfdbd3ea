using Distributed.Data;
using Distributed.Model;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>
/// The way of running statistics through training: digits, normalised as they come in, so that what is observed can be computed from the
/// data.
/// </summary>
public sealed class BatchNormTrainingTests
{
    private const string Layers = """{"layers":[{"type":"batchnorm","momentum":0.25},{"type":"dense","units":9},{"type":"relu"}]}""";

    private static readonly Dataset Data = TinyRun.Data;
    private static readonly Network Network = new(ModelSpec.FromJson(Layers, "test"), Data.Shape, 10);

    [Fact]
    public void StatisticsMoveTowardsTheMeanAndTheMeanVarianceOfTheMicrobatches()
    {
        var configuration = Configuration(new SgdOptions { WeightDecay = 0.1, ClipNorm = 1e-3 });
        using var trainer = Trainer(configuration);
        trainer.Step();
        var samples = Samples(configuration.Batches(Data.Train.Count).Of(step: 1).Indices);
        var mean = samples.Average(pixels => pixels.Average());
        var variance = samples.Chunk(configuration.Microbatch).Sum(part => part.Length * Variance(part)) / samples.Length;

        Assert.Equal(0.25 * mean, Value(trainer, "layers.0.running_mean"), 1e-5);
        Assert.Equal(0.75 + (0.25 * variance), Value(trainer, "layers.0.running_var"), 1e-5);
    }

    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public void MomentsOfStatisticsStayZero(string kind)
    {
        using var trainer = Trainer(Configuration(OptimizerOptions.Find(kind)! with { WeightDecay = 0.1 }));
        for (var i = 0; i < 3; i++)
            trainer.Step();
        foreach (var statistic in Network.Layout.RunningStatistics)
            Assert.All(trainer.State.Moments, moment => Assert.Equal(0, moment.Span[statistic.Offset]));
        Assert.All(trainer.State.Moments, moment => Assert.NotEqual(0, moment.Span[0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AResumedRunGoesOnAsIfItHadNeverStopped(int stop)
    {
        var configuration = Configuration(new SgdOptions());
        using LocalTrainer whole = Trainer(configuration),
            first = Trainer(configuration),
            second = Trainer(configuration);
        for (var i = 0; i < stop; i++)
            first.Step();
        second.State.Restore(first.State.ToCheckpoint(configuration.Options.Optimizer.CreateOptimizer().MomentNames));
        for (var i = 0; i < 5; i++)
            whole.Step();
        for (var i = stop; i < 5; i++)
            second.Step();
        BitAssert.Equal(whole.State.Weights.Span.ToArray(), second.State.Weights.Span.ToArray());
        Assert.Equal(whole.Evaluate(DataPart.Test), second.Evaluate(DataPart.Test));
    }

    [Fact]
    public void EvaluationDependsOnTheStatistics()
    {
        using var trainer = Trainer(Configuration(new SgdOptions()));
        trainer.Step();
        var before = trainer.Evaluate(DataPart.Test);
        trainer.State.Weights.Span[Network.Layout.RunningStatistics[0].Offset] += 0.5f;
        Assert.NotEqual(before.Loss, trainer.Evaluate(DataPart.Test).Loss);
    }

    private static RunConfiguration Configuration(OptimizerOptions optimizer) =>
        RunConfiguration.Resolve(
            new TrainingOptions
            {
                BatchSize = 100,
                Microbatch = 30,
                Steps = 5,
                Optimizer = optimizer,
            },
            Data,
            Layers,
            initWeightsSha256: null
        );

    private static LocalTrainer Trainer(RunConfiguration configuration)
    {
        var settings = TrainingSettings.Of(configuration, Network, configuration.CreateObjective(Data));
        LocalTrainer trainer = new(settings, Data, configuration.Batches(Data.Train.Count), threads: 2);
        trainer.State.Restore(InitialState.Of(configuration, Network, weights: null));
        return trainer;
    }

    private static double[][] Samples(ReadOnlyMemory<int> indices)
    {
        var values = new float[indices.Length * Data.Shape.Length];
        Data.Train.Decode(indices.Span, values);
        return [.. values.Select(value => (double)value).Chunk(Data.Shape.Length)];
    }

    private static double Variance(double[][] part)
    {
        var mean = part.Average(pixels => pixels.Average());
        return part.Average(pixels => pixels.Average(value => (value - mean) * (value - mean)));
    }

    private static float Value(LocalTrainer trainer, string name) =>
        trainer.State.Weights.Span[Network.Layout.Parameters.Single(parameter => parameter.Name == name).Offset];
}
