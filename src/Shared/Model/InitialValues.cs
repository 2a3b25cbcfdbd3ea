namespace Distributed.Model;

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
