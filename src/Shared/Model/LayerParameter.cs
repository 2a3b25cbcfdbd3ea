namespace Distributed.Model;

/// <summary>One parameter of a layer, before it has a place in the flat vector.</summary>
/// <param name="Suffix">The last part of its name, such as <c>weight</c>.</param>
/// <param name="Shape">Sizes in PyTorch's order.</param>
/// <param name="Initial">What its elements start from.</param>
/// <param name="RunningMomentum">Null where it is trained; for a running statistic as in <see cref="Parameter.RunningMomentum"/>.</param>
internal sealed record LayerParameter(string Suffix, IReadOnlyList<int> Shape, InitialValues Initial, float? RunningMomentum = null);
