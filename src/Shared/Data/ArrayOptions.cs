namespace Distributed.Data;

/// <summary>How <see cref="Dataset.FromArrays(IReadOnlyList{float[]}, IReadOnlyList{string}, ArrayOptions?)"/> reads its arrays.</summary>
public sealed record ArrayOptions
{
    /// <summary>Whether values are brought to mean 0 and deviation 1 over the training set, each by itself.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>The shape of a sample, whose values lie channel by channel and row by row; null for a plain vector.</summary>
    public SampleShape? Shape { get; init; }

    /// <summary>The samples of a test set; null to hold back every fifth sample.</summary>
    public IReadOnlyList<float[]>? TestFeatures { get; init; }

    /// <summary>The labels of <see cref="TestFeatures"/>.</summary>
    public IReadOnlyList<string>? TestLabels { get; init; }

    /// <summary>The numbers to predict of <see cref="TestFeatures"/>, where numbers are predicted.</summary>
    public IReadOnlyList<double[]>? TestTargets { get; init; }

    /// <summary>
    /// The part of the training samples, above 0 and below 1, that judges the training while it goes on: samples spread evenly, by their
    /// order alone. They are neither trained on nor is anything fitted on them. 0 for none.
    /// </summary>
    public double Holdout { get; init; }

    /// <summary>
    /// How much the loss of each sample counts in training, at least 0; null if all count alike. There is one for each sample that is not in
    /// <see cref="TestFeatures"/>; samples that are held back count alike.
    /// </summary>
    public IReadOnlyList<double>? Weights { get; init; }

    /// <summary>The names of the numbers to predict; null for <c>target</c>, or <c>target0</c>, <c>target1</c> and so on.</summary>
    public IReadOnlyList<string>? TargetNames { get; init; }
}
