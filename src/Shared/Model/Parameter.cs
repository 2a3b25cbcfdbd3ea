namespace Distributed.Model;

/// <summary>One named tensor inside the flat vector of all parameters.</summary>
/// <param name="Name">PyTorch's name, such as <c>layers.0.weight</c>.</param>
/// <param name="Offset">Index of the first element in the flat vector.</param>
/// <param name="Shape">Sizes, slowest dimension first: <c>[out, in]</c> for a weight, <c>[out]</c> for a bias.</param>
/// <param name="RunningMomentum">
/// Null where the parameter is trained. Otherwise it is a running statistic: what stands in the place of its gradient is the sum
/// over the samples of what was observed, and a step sets it to (1 - momentum) * old + momentum * (sum / samples).
/// </param>
internal sealed record Parameter(string Name, int Offset, IReadOnlyList<int> Shape, float? RunningMomentum = null)
{
    /// <summary>Number of elements.</summary>
    /// <exception cref="OverflowException">The product of the sizes does not fit in an <see cref="int"/>.</exception>
    public int Length => Shape.Aggregate(1, (product, size) => checked(product * size));
}

/// <summary>One parameter of a layer, before it has a place in the flat vector.</summary>
/// <param name="Suffix">The last part of its name, such as <c>weight</c>.</param>
/// <param name="Shape">Sizes in PyTorch's order.</param>
/// <param name="Initial">What its elements start from.</param>
/// <param name="RunningMomentum">Null where it is trained; for a running statistic as in <see cref="Parameter.RunningMomentum"/>.</param>
internal sealed record LayerParameter(string Suffix, IReadOnlyList<int> Shape, InitialValues Initial, float? RunningMomentum = null);

/// <summary>What the elements of a parameter start from; made by <see cref="Uniform"/> or <see cref="Constant"/>.</summary>
/// <param name="Bound">Half of the range of the draws; 0 where all elements are <paramref name="Value"/>.</param>
/// <param name="Value">The constant.</param>
internal readonly record struct InitialValues(float Bound, float Value)
{
    /// <summary>Draws from [-bound, bound).</summary>
    internal static InitialValues Uniform(float bound) => new(bound, 0);

    /// <summary>The same value everywhere.</summary>
    internal static InitialValues Constant(float value) => new(0, value);
}
