namespace Distributed.Model;

/// <summary>What a batch adds up to beside its gradient.</summary>
/// <param name="LossSum">Sum of the samples' losses, along the same tree over the microbatches as the gradient.</param>
/// <param name="Correct">Number of samples whose largest logit is at their label.</param>
/// <param name="Samples">Number of samples.</param>
public readonly record struct BatchSums(float LossSum, int Correct, int Samples)
{
    /// <summary>Joins two neighbouring nodes of the tree over the microbatches.</summary>
    /// <param name="left">The node with the lower microbatches.</param>
    /// <param name="right">The node with the higher ones.</param>
    public static BatchSums Merge(BatchSums left, BatchSums right) =>
        new(left.LossSum + right.LossSum, left.Correct + right.Correct, left.Samples + right.Samples);
}
