using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>How far a training is: reported after every step.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="TotalSteps">The last step.</param>
/// <param name="Epoch">The epoch of the step, from 1.</param>
/// <param name="Loss">The mean loss of the step's samples before the update.</param>
/// <param name="Test">How the model does on the test set, after the steps that are evaluated; otherwise null.</param>
public sealed record TrainingProgress(long Step, long TotalSteps, long Epoch, float Loss, TestScore? Test)
{
    /// <summary>How it does on the held-out part, if there is one, whenever <see cref="Test"/> is there.</summary>
    public TestScore? Holdout { get; init; }
}

/// <summary>How a model does on the test set, or on the held-out part.</summary>
/// <param name="Loss">The mean loss of a sample.</param>
/// <param name="Metrics">
/// What else the objective measures: <c>accuracy</c> of classes; <c>rmse</c>, <c>mae</c> and <c>r2</c> of numbers, in their own units. The
/// result of a training also has the <c>auc</c> of two classes.
/// </param>
public sealed record TestScore(double Loss, IReadOnlyList<Metric> Metrics)
{
    /// <summary>A metric by its name.</summary>
    /// <param name="name">Such as <c>accuracy</c>.</param>
    /// <exception cref="InvalidOperationException">The objective does not measure it.</exception>
    public double this[string name] => Metrics.First(metric => metric.Name == name).Value;

    internal static TestScore Of(Objective objective, in BatchSums sums) => new((double)sums.Loss / sums.Samples, objective.Metrics(sums));
}
