using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Training;

namespace Distributed.Shared.Tests.Training;

/// <summary>
/// Digits through a small network in odd batches: 1438 samples in batches of 600, the last of 238, in microbatches of 37.
/// </summary>
internal static class TinyRun
{
    public static Dataset Data { get; } = DatasetLoader.Load(new DataOptions());

    public static ModelSpec Model { get; } = ModelSpec.Parse("mlp:9,5");

    public static Network Network { get; } = new(Model, Data.Shape, Data.ClassNames.Count);

    public static RunConfiguration Configuration(float learningRate = 0.01f) =>
        RunConfiguration.Resolve(
            new TrainingOptions
            {
                BatchSize = 600,
                Microbatch = 37,
                Steps = 7,
                Optimizer = new SgdOptions { LearningRate = learningRate },
            },
            Data,
            Model.ToJson(),
            initWeightsSha256: null
        );

    /// <summary>A trainer at the run's beginning, or at a later state.</summary>
    public static LocalTrainer Trainer(int threads = 1, Checkpoint? start = null, float learningRate = 0.01f)
    {
        var configuration = Configuration(learningRate);
        var settings = TrainingSettings.Of(configuration, Network, configuration.CreateObjective(Data));
        var trainer = new LocalTrainer(settings, Data, configuration.Batches(Data.Train.Count), threads);
        trainer.State.Restore(start ?? InitialState.Of(configuration, Network, null));
        return trainer;
    }
}
