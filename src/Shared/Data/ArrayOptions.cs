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
}
