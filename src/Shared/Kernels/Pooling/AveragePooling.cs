using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Pooling;

/// <summary>
/// The mean of each window, channel by channel, and the way of the gradient back. Images are channels-last. A window at the border is
/// divided by the number of its elements inside the image (PyTorch's <c>count_include_pad=False</c>).
/// </summary>
internal static unsafe class AveragePooling
{
    /// <summary>Computes the output: a chain of additions from +0 over a window, row by row, and one division.</summary>
    /// <param name="input">[rows, H, W, C].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="rows">Images.</param>
    /// <param name="output">[rows, OH, OW, C]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Forward(ReadOnlySpan<float> input, in PoolingShape shape, int rows, Span<float> output, ComputeTeam team)
    {
        shape.Check(rows, input.Length, output.Length);
        fixed (
            float* inputs = input,
                outputs = output
        )
        {
            VectorizedWork.Run(new AveragePoolingForward(inputs, shape, outputs), rows * shape.OutputHeight, input.Length, team);
        }
    }

    /// <summary>
    /// inputGradient[i] = the sum over the windows that cover input i of the window's gradient divided by its number of elements: a chain
    /// of additions from +0 over the windows, row by row.
    /// </summary>
    /// <param name="outputGradient">[rows, OH, OW, C].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="rows">Images.</param>
    /// <param name="inputGradient">[rows, H, W, C]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Backward(
        ReadOnlySpan<float> outputGradient,
        in PoolingShape shape,
        int rows,
        Span<float> inputGradient,
        ComputeTeam team
    )
    {
        shape.Check(rows, inputGradient.Length, outputGradient.Length);
        fixed (
            float* outputGradients = outputGradient,
                inputGradients = inputGradient
        )
        {
            var kernel = new AveragePoolingBackward(outputGradients, shape, inputGradients);
            VectorizedWork.Run(kernel, rows * shape.Height, inputGradient.Length, team);
        }
    }
}
