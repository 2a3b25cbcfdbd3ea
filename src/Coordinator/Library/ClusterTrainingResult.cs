using Distributed.Training;

namespace Distributed.Cluster;

/// <summary>The outcome of a training on workers: that of any training, and how it went.</summary>
/// <param name="Model">The trained model.</param>
/// <param name="Steps">Steps of the training.</param>
/// <param name="Test">How the model does on the test set.</param>
public sealed record ClusterTrainingResult(TrainedModel Model, long Steps, TestScore Test) : TrainingResult(Model, Steps, Test)
{
    /// <summary>Workers at the end; 0 where this process trained by itself.</summary>
    public required int Workers { get; init; }

    /// <summary>Workers that were lost.</summary>
    public required int WorkersLost { get; init; }

    /// <summary>Workers that joined after the first step.</summary>
    public required int WorkersJoined { get; init; }

    /// <summary>How gradients travelled: <c>none</c>, <c>shm</c>, <c>tcp</c>, <c>grpc</c> or <c>mixed</c>.</summary>
    public required string Transport { get; init; }

    /// <summary>The pace of the training, without start-up and evaluation.</summary>
    public required double SamplesPerSecond { get; init; }
}
