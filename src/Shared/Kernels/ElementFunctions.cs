using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>Applies a function, or its gradient, to each element of a vector.</summary>
internal static unsafe class ElementFunctions
{
    /// <summary>output[i] = f(input[i]).</summary>
    /// <param name="function">f.</param>
    /// <param name="input">[n].</param>
    /// <param name="output">[n]; overwritten, and may be the input.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Forward<TFunction>(in TFunction function, ReadOnlySpan<float> input, Span<float> output, ComputeTeam team)
        where TFunction : unmanaged, IElementFunction
    {
        CheckLength(input.Length, output.Length, nameof(output));
        fixed (
            float* inputs = input,
                outputs = output
        )
        {
            Elementwise.Run(new ForwardKernel<TFunction>(function, inputs, outputs), input.Length, team);
        }
    }

    /// <summary>inputGradient[i] = outputGradient[i] f'(value[i]).</summary>
    /// <param name="function">f.</param>
    /// <param name="value">[n], the function's input or output; see <see cref="IElementFunction.GradientReadsInput"/>.</param>
    /// <param name="outputGradient">[n].</param>
    /// <param name="inputGradient">[n]; overwritten, and may be the output's gradient.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Backward<TFunction>(
        in TFunction function,
        ReadOnlySpan<float> value,
        ReadOnlySpan<float> outputGradient,
        Span<float> inputGradient,
        ComputeTeam team
    )
        where TFunction : unmanaged, IElementFunction
    {
        CheckLength(value.Length, outputGradient.Length, nameof(outputGradient));
        CheckLength(value.Length, inputGradient.Length, nameof(inputGradient));
        fixed (
            float* values = value,
                outputGradients = outputGradient,
                inputGradients = inputGradient
        )
        {
            var kernel = new BackwardKernel<TFunction>(function, values, outputGradients, inputGradients);
            Elementwise.Run(kernel, value.Length, team);
        }
    }

    private static void CheckLength(int expected, int actual, string name)
    {
        if (expected != actual)
            throw new ArgumentException($"{actual} elements, expected {expected}.", name);
    }

    private readonly struct ForwardKernel<TFunction>(TFunction function, float* input, float* output) : IElementwise
        where TFunction : unmanaged, IElementFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Store(function.Forward<TLanes, TVector>(TLanes.Load(input + index)), output + index);
    }

    private readonly struct BackwardKernel<TFunction>(TFunction function, float* value, float* outputGradient, float* inputGradient)
        : IElementwise
        where TFunction : unmanaged, IElementFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var gradient = TLanes.Load(outputGradient + index);
            TLanes.Store(function.Backward<TLanes, TVector>(gradient, TLanes.Load(value + index)), inputGradient + index);
        }
    }
}
