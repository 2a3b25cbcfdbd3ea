using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>A differentiable function of one element, with its constants as fields.</summary>
internal interface IElementFunction
{
    /// <summary>
    /// Whether the gradient is computed from the function's input. Otherwise it is computed from the output, and no copy of the input needs
    /// to be kept.
    /// </summary>
    static abstract bool GradientReadsInput { get; }

    TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;

    /// <summary>The gradient with respect to the input.</summary>
    /// <param name="gradient">With respect to the output.</param>
    /// <param name="value">The input or the output; see <see cref="GradientReadsInput"/>.</param>
    TVector Backward<TLanes, TVector>(TVector gradient, TVector value)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>
/// An activation that products apply in their own pass, as a function by itself. It adds 0 first, as a product adds its bias: -0 becomes +0
/// in both, so that the bits are the same.
/// </summary>
internal readonly struct ActivationFunction<TActivation> : IElementFunction
    where TActivation : struct, IActivation
{
    public static bool GradientReadsInput => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TActivation.Forward<TLanes, TVector>(TLanes.Add(input, default));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TLanes, TVector>(TVector gradient, TVector value)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TActivation.Backward<TLanes, TVector>(gradient, value);
}
