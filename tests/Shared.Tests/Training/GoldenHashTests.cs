using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>
/// Weights after a few epochs, as hashes. If one of these changes, the arithmetic has changed: either that is a defect, or
/// <see cref="NumericsVersion"/> must change with it.
/// </summary>
public sealed class GoldenHashTests
{
    [Theory]
    [InlineData("relu", "sgd", "4d86a94f46e5da62")]
    [InlineData("tanh", "adam", "39fff9ad3cf7f99d")]
    [InlineData("sigmoid", "adamw", "ec4b312fb3d6ab4e")]
    public void Two_epochs_of_digits_end_in_the_same_bits_as_ever(string activation, string optimizer, string prefix)
    {
        var options = new TrainingOptions
        {
            Model =
                $$"""{"layers":[{"type":"dense","units":33},{"type":"{{activation}}"},{"type":"dense","units":17},{"type":"{{activation}}"}]}""",
            Epochs = 2,
            BatchSize = 100,
            Microbatch = 7,
            Optimizer = OptimizerOptions.Find(optimizer)! with { WeightDecay = 0.001, ClipNorm = 1 },
        };
        Assert.StartsWith(prefix, HashAfterTraining(options), StringComparison.Ordinal);
    }

    private static string HashAfterTraining(TrainingOptions options)
    {
        var dataset = DatasetLoader.Load(options.Data);
        var model = ModelSpec.FromJson(options.Model, "the test's model");
        var network = new Network(model, dataset.Shape, dataset.ClassNames.Count);
        var configuration = RunConfiguration.Resolve(options, dataset, model.ToJson(), initWeightsSha256: null);
        using var trainer = new LocalTrainer(
            TrainingSettings.Of(configuration, network, configuration.CreateObjective(dataset)),
            dataset,
            configuration.Batches(dataset.Train.Count),
            threads: 1
        );
        trainer.State.Restore(InitialState.Of(configuration, network, weights: null));
        while (trainer.State.Step < configuration.Steps)
            trainer.Step();
        return WeightsHash.Compute(trainer.State.Weights.Span);
    }
}
