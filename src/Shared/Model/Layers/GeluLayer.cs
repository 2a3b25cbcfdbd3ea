using System.Runtime.CompilerServices;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Vectors;

namespace Distributed.Model.Layers;

/// <summary>
/// x * Phi(x) with the normal distribution's Phi, exact rather than by tanh (D. Hendrycks and K. Gimpel, "Gaussian error linear units",
/// 2016).
/// </summary>
internal sealed record GeluSpec : LayerSpec
{
    internal const string TypeName = "gelu";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new ElementwiseLayer<GeluFunction>(input, default, TypeName, Operators);

    // As PyTorch writes it, which ONNX Runtime recognizes; an operator of its own came with opset 20.
    private static GraphValue Operators(IOperatorGraph graph, GraphValue x)
    {
        var erf = graph.Add("Erf", [graph.Add("Div", [x, graph.Constant([(float)Math.Sqrt(2)])])]);
        var product = graph.Add("Mul", [x, graph.Add("Add", [erf, graph.Constant([1f])])]);
        return graph.Add("Mul", [product, graph.Constant([0.5f])]);
    }
}

/// <summary>
/// x Phi(x) = x (1 + erf(x / sqrt 2)) / 2, within 8 units in the last place of normal results; NaN at minus infinity, as in PyTorch. Its
/// slope, Phi(x) + x phi(x), has an absolute error below 4e-7. The function falls before it rises, so two inputs can have one output.
/// </summary>
internal readonly struct GeluFunction : IElementFunction
{
    public static bool GradientReadsInput => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.Multiply(input, NormalDistribution.Cumulative<TLanes, TVector>(input, out _));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TLanes, TVector>(TVector gradient, TVector value)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var cumulative = NormalDistribution.Cumulative<TLanes, TVector>(value, out var density);
        return TLanes.Multiply(gradient, TLanes.FusedMultiplyAdd(value, density, cumulative));
    }
}
