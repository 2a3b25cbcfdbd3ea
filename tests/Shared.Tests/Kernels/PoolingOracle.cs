using CsCheck;
using Distributed.Kernels.Pooling;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>Pooling as its definition says, element by element.</summary>
internal static class PoolingOracle
{
    /// <summary>
    /// Small shapes of all kinds: kernels up to the whole padded image, strides below, at and above the kernel, channels around the
    /// vectors' widths.
    /// </summary>
    public static Gen<PoolingShape> Shapes { get; } =
        from height in Gen.Int[1, 9]
        from width in Gen.Int[1, 9]
        from channels in Gen.OneOf(Gen.Int[1, 5], Gen.Int[14, 36])
        from kernelHeight in Gen.Int[1, Math.Min(height, 4)]
        from kernelWidth in Gen.Int[1, Math.Min(width, 4)]
        from strideHeight in Gen.Int[1, 4]
        from strideWidth in Gen.Int[1, 4]
        from paddingHeight in Gen.Int[0, kernelHeight - 1]
        from paddingWidth in Gen.Int[0, kernelWidth - 1]
        select new PoolingShape(height, width, channels, kernelHeight, kernelWidth, strideHeight, strideWidth, paddingHeight, paddingWidth);

    public static (float[] Output, int[] Winners) Max(float[] input, PoolingShape shape, int rows)
    {
        var output = new float[rows * shape.OutputLength];
        var winners = new int[output.Length];
        for (var i = 0; i < output.Length; i++)
        {
            int[] window = [.. Window(shape, i)];
            var winner = window[0];
            foreach (var candidate in window)
                winner = input[candidate] > input[winner] || float.IsNaN(input[candidate]) ? candidate : winner;
            (output[i], winners[i]) = (input[winner], winner);
        }

        return (output, winners);
    }

    public static float[] MaxGradient(int[] winners, float[] outputGradient, PoolingShape shape, int rows)
    {
        var inputGradient = new float[rows * shape.InputLength];
        for (var i = 0; i < winners.Length; i++)
            inputGradient[winners[i]] += outputGradient[i];
        return inputGradient;
    }

    public static float[] Average(float[] input, PoolingShape shape, int rows)
    {
        var output = new float[rows * shape.OutputLength];
        for (var i = 0; i < output.Length; i++)
        {
            foreach (var element in Window(shape, i))
                output[i] += input[element];
            output[i] /= Window(shape, i).Count();
        }

        return output;
    }

    public static float[] AverageGradient(float[] outputGradient, PoolingShape shape, int rows)
    {
        var inputGradient = new float[rows * shape.InputLength];
        for (var i = 0; i < outputGradient.Length; i++)
        {
            int[] window = [.. Window(shape, i)];
            foreach (var element in window)
                inputGradient[element] += outputGradient[i] / window.Length;
        }

        return inputGradient;
    }

    /// <summary>Indices of the inputs that are in the window of an output, in the order of rows and columns.</summary>
    private static IEnumerable<int> Window(PoolingShape shape, int output)
    {
        var (pixel, channel) = Math.DivRem(output, shape.Channels);
        var (rest, ox) = Math.DivRem(pixel, shape.OutputWidth);
        var (image, oy) = Math.DivRem(rest, shape.OutputHeight);
        for (var ky = 0; ky < shape.KernelHeight; ky++)
        {
            for (var kx = 0; kx < shape.KernelWidth; kx++)
            {
                int y = (oy * shape.StrideHeight) - shape.PaddingHeight + ky,
                    x = (ox * shape.StrideWidth) - shape.PaddingWidth + kx;
                if (y >= 0 && y < shape.Height && x >= 0 && x < shape.Width)
                    yield return (((((image * shape.Height) + y) * shape.Width) + x) * shape.Channels) + channel;
            }
        }
    }
}
