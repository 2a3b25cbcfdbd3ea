namespace Distributed.Training;

/// <summary>The outcome of a training.</summary>
/// <param name="Model">The trained model.</param>
/// <param name="Steps">Steps of the training.</param>
/// <param name="Test">How the model does on the test set.</param>
public sealed record TrainingResult(TrainedModel Model, long Steps, TestScore Test);
