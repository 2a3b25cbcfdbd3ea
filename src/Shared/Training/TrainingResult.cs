namespace Distributed.Training;

/// <summary>The outcome of a training.</summary>
/// <param name="Model">The trained model.</param>
/// <param name="Steps">Steps of the training.</param>
/// <param name="Test">How the model does on the test set.</param>
public record TrainingResult(TrainedModel Model, long Steps, TestScore Test)
{
    /// <summary>How it does on the held-out part; null if there is none.</summary>
    public TestScore? Holdout { get; init; }

    /// <summary>
    /// The step after which the model's weights are: the one of the lowest held-out loss where <see cref="TrainingOptions.Patience"/> is
    /// given, otherwise the last.
    /// </summary>
    public required long BestStep { get; init; }

    /// <summary>Why training stopped before its end; null if it did not.</summary>
    public string? StopReason { get; init; }
}
