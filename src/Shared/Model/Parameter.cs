namespace Distributed.Model;

/// <summary>One named tensor inside the flat vector of all parameters.</summary>
/// <param name="Name">PyTorch's name, such as <c>layers.0.weight</c>.</param>
/// <param name="Offset">Index of the first element in the flat vector.</param>
/// <param name="Shape">Sizes, slowest dimension first: <c>[out, in]</c> for a weight, <c>[out]</c> for a bias.</param>
/// <param name="RunningMomentum">
/// Null where the parameter is trained. Otherwise it is a running statistic: what stands in the place of its gradient is the sum
/// over the samples of what was observed, and a step sets it to (1 - momentum) * old + momentum * (sum / samples).
/// </param>
public sealed record Parameter(string Name, int Offset, IReadOnlyList<int> Shape, float? RunningMomentum = null)
{
    /// <summary>Number of elements.</summary>
    /// <exception cref="OverflowException">The product of the sizes does not fit in an <see cref="int"/>.</exception>
    public int Length => Shape.Aggregate(1, (product, size) => checked(product * size));
}
