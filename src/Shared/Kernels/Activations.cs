using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// Bias and activation functions over a matrix, in place, and their gradients. A gradient is taken from the activation's *output*, so the
/// input need not be kept: relu' = [y &gt; 0] (0 at 0), tanh' = 1 - y^2, sigmoid' = y (1 - y). GELU is the exception: it is not monotonic,
/// so two inputs can have one output, and its gradient needs the input.
/// </summary>
public static unsafe class Activations
{
    /// <summary>matrix[i, j] += bias[j].</summary>
    /// <param name="matrix">[rows, n], row-major, with n the length of the bias; overwritten.</param>
    /// <param name="bias">[n], at least one element.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The matrix is not a whole number of rows.</exception>
    public static void AddBias(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team) =>
        Apply<IdentityActivation>(matrix, bias, team);

    /// <summary>matrix[i, j] = max(matrix[i, j] + bias[j], 0); NaN stays NaN. Shapes as in <see cref="AddBias"/>.</summary>
    public static void BiasRelu(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team) =>
        Apply<ReluActivation>(matrix, bias, team);

    /// <summary>matrix[i, j] = tanh(matrix[i, j] + bias[j]). Shapes as in <see cref="AddBias"/>.</summary>
    public static void BiasTanh(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team) =>
        Apply<TanhActivation>(matrix, bias, team);

    /// <summary>matrix[i, j] = 1 / (1 + exp(-(matrix[i, j] + bias[j]))). Shapes as in <see cref="AddBias"/>.</summary>
    public static void BiasSigmoid(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team) =>
        Apply<SigmoidActivation>(matrix, bias, team);

    /// <summary>gradient *= [output &gt; 0]: the gradient with respect to the output becomes the one with respect to the input.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void ReluGradient(ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team) =>
        ApplyGradient<ReluActivation>(output, gradient, team);

    /// <summary>gradient *= 1 - output^2. See <see cref="ReluGradient"/>.</summary>
    public static void TanhGradient(ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team) =>
        ApplyGradient<TanhActivation>(output, gradient, team);

    /// <summary>gradient *= output (1 - output). See <see cref="ReluGradient"/>.</summary>
    public static void SigmoidGradient(ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team) =>
        ApplyGradient<SigmoidActivation>(output, gradient, team);

    /// <summary>output = input &gt; 0 ? input : slope * input.</summary>
    /// <param name="input">[n].</param>
    /// <param name="slope">Slope on the left, above 0: only then does the output's sign tell the side.</param>
    /// <param name="output">[n]; overwritten, and may be the input.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ, or the slope is not above 0.</exception>
    public static void LeakyRelu(ReadOnlySpan<float> input, float slope, Span<float> output, ComputeTeam team)
    {
        CheckSlope(slope);
        CheckLengths(input.Length, output.Length, nameof(output));
        fixed (
            float* inputs = input,
                outputs = output
        )
        {
            Elementwise.Run(new LeakyReluForward(inputs, slope, outputs), input.Length, team);
        }
    }

    /// <summary>
    /// gradient *= output &gt; 0 ? 1 : slope, with the slope at 0, as in PyTorch. See <see cref="ReluGradient"/> and
    /// <see cref="LeakyRelu"/>.
    /// </summary>
    public static void LeakyReluGradient(ReadOnlySpan<float> output, float slope, Span<float> gradient, ComputeTeam team)
    {
        CheckSlope(slope);
        CheckLengths(output.Length, gradient.Length, nameof(gradient));
        fixed (
            float* outputs = output,
                gradients = gradient
        )
        {
            Elementwise.Run(new LeakyReluBackward(outputs, slope, gradients), output.Length, team);
        }
    }

    /// <summary>
    /// output = input Phi(input) = input (1 + erf(input / sqrt 2)) / 2, within 8 units in the last place of normal results. NaN at minus
    /// infinity, as in PyTorch.
    /// </summary>
    /// <param name="input">[n].</param>
    /// <param name="output">[n]; overwritten, and may be the input.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Gelu(ReadOnlySpan<float> input, Span<float> output, ComputeTeam team)
    {
        CheckLengths(input.Length, output.Length, nameof(output));
        fixed (
            float* inputs = input,
                outputs = output
        )
        {
            Elementwise.Run(new GeluForward(inputs, outputs), input.Length, team);
        }
    }

    /// <summary>gradient *= Phi(input) + input phi(input), the factor with an absolute error below 4e-7.</summary>
    /// <param name="input">[n], what <see cref="Gelu"/> read.</param>
    /// <param name="gradient">[n], with respect to the output; on return with respect to the input.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void GeluGradient(ReadOnlySpan<float> input, Span<float> gradient, ComputeTeam team)
    {
        CheckLengths(input.Length, gradient.Length, nameof(gradient));
        fixed (
            float* inputs = input,
                gradients = gradient
        )
        {
            Elementwise.Run(new GeluBackward(inputs, gradients), input.Length, team);
        }
    }

    private static void Apply<TActivation>(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team)
        where TActivation : struct, IActivation
    {
        if (bias.IsEmpty || matrix.Length % bias.Length != 0)
            throw new ArgumentException($"{matrix.Length} elements are not rows of {bias.Length}.", nameof(matrix));
        fixed (
            float* values = matrix,
                biases = bias
        )
        {
            Elementwise.Share(new BiasedRows<TActivation>(values, biases, matrix.Length / bias.Length, bias.Length), matrix.Length, team);
        }
    }

    private static void ApplyGradient<TActivation>(ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team)
        where TActivation : struct, IActivation
    {
        CheckLengths(output.Length, gradient.Length, nameof(gradient));
        fixed (
            float* outputs = output,
                gradients = gradient
        )
        {
            Elementwise.Run(new Gradient<TActivation>(outputs, gradients), output.Length, team);
        }
    }

    private static void CheckSlope(float slope)
    {
        if (!(slope > 0))
            throw new ArgumentOutOfRangeException(nameof(slope), slope, "A leaky rectifier needs a slope above 0.");
    }

    private static void CheckLengths(int expected, int actual, string name)
    {
        if (expected != actual)
            throw new ArgumentException($"{actual} elements, expected {expected}.", name);
    }

    private readonly struct BiasedRows<TActivation>(float* values, float* biases, int rows, int columns) : IPartitionedWork
        where TActivation : struct, IActivation
    {
        public void Execute(int part, int parts)
        {
            var (start, end) = ChunkRange.Of(rows, 1, part, parts);
            for (var row = start; row < end; row++)
            {
                var activation = new BiasedRow<TActivation>(values + ((nint)row * columns), biases);
                VectorWidth.Execute(new Elementwise.Loop<BiasedRow<TActivation>>(activation, 0, columns));
            }
        }
    }

    private readonly struct BiasedRow<TActivation>(float* values, float* biases) : IElementwise
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var biased = TLanes.Add(TLanes.Load(values + index), TLanes.Load(biases + index));
            TLanes.Store(TActivation.Forward<TLanes, TVector>(biased), values + index);
        }
    }

    private readonly struct Gradient<TActivation>(float* outputs, float* gradients) : IElementwise
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var gradient = TLanes.Load(gradients + index);
            TLanes.Store(TActivation.Backward<TLanes, TVector>(gradient, TLanes.Load(outputs + index)), gradients + index);
        }
    }
}
