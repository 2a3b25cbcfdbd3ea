using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Pooling;

/// <summary>
/// The largest element of each window, channel by channel, and the way of the gradient back to it. Images are channels-last. As in PyTorch,
/// of equal elements the first in the order of rows and columns wins, and a NaN (the last one) wins over any number; padding never wins.
/// </summary>
internal static unsafe class MaxPooling
{
    /// <summary>Computes the output, and the winners where a gradient will be asked for.</summary>
    /// <param name="input">[rows, H, W, C].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="rows">Images.</param>
    /// <param name="output">[rows, OH, OW, C]; overwritten.</param>
    /// <param name="winners">
    /// [rows, OH, OW, C], or empty; overwritten: the winner's position in its window, row by row, for <see cref="Backward"/>.
    /// </param>
    /// <param name="maskRelu">
    /// The input is the output y of a ReLU, and the gradient is wanted with respect to the ReLU's input. Since a winner is positive exactly
    /// where the window's maximum is, windows whose maximum is not positive pass no gradient on, and no pass over the ReLU is needed.
    /// </param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Forward(
        ReadOnlySpan<float> input,
        in PoolingShape shape,
        int rows,
        Span<float> output,
        Span<float> winners,
        bool maskRelu,
        ComputeTeam team
    )
    {
        shape.Check(rows, input.Length, output.Length);
        if (!winners.IsEmpty && winners.Length != output.Length)
            throw new ArgumentException($"{winners.Length} winners, but {output.Length} outputs.", nameof(winners));
        fixed (
            float* inputs = input,
                outputs = output,
                taps = winners
        )
        {
            var kernel = new MaxPoolingForward(inputs, shape, outputs, taps, maskRelu);
            VectorizedWork.Run(kernel, rows * shape.OutputHeight, input.Length, team);
        }
    }

    /// <summary>
    /// inputGradient[i] = the sum of the gradients of those windows that input i has won: a chain of additions from +0 over the windows,
    /// row by row. One pass that overwrites, whether windows overlap or not.
    /// </summary>
    /// <param name="winners">[rows, OH, OW, C], from <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[rows, OH, OW, C].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="rows">Images.</param>
    /// <param name="inputGradient">[rows, H, W, C]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Backward(
        ReadOnlySpan<float> winners,
        ReadOnlySpan<float> outputGradient,
        in PoolingShape shape,
        int rows,
        Span<float> inputGradient,
        ComputeTeam team
    )
    {
        shape.Check(rows, inputGradient.Length, outputGradient.Length);
        if (winners.Length != outputGradient.Length)
            throw new ArgumentException($"{winners.Length} winners, but {outputGradient.Length} gradients.", nameof(winners));
        fixed (
            float* taps = winners,
                outputGradients = outputGradient,
                inputGradients = inputGradient
        )
        {
            var kernel = new MaxPoolingBackward(taps, outputGradients, shape, inputGradients);
            VectorizedWork.Run(kernel, rows * shape.Height, inputGradient.Length, team);
        }
    }
}
