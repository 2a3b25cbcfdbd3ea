namespace Distributed.Model;

/// <summary>One parameter of a layer, before it has a place in the flat vector.</summary>
/// <param name="Suffix">The last part of its name, such as <c>weight</c>.</param>
/// <param name="Shape">Sizes in PyTorch's order.</param>
/// <param name="InitialBound">Initial values are uniform in [-bound, bound); 0 means that they start at zero.</param>
internal sealed record LayerParameter(string Suffix, IReadOnlyList<int> Shape, float InitialBound);
