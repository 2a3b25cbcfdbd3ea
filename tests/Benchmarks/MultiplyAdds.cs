using Distributed.Kernels.Convolutions;
using Distributed.Model;
using Distributed.Model.Layers;

namespace Distributed.Benchmarks;

/// <summary>Counts the multiply-adds of a training step: what the FMA bound of a step is made of.</summary>
internal static class MultiplyAdds
{
    /// <summary>
    /// Those of the products of a step: forward, weight gradients and input gradients, of which the first layer that is trained has none.
    /// Bias, activations, normalisation, loss and update are left out, so that they count as overhead.
    /// </summary>
    public static double OfStep(Network network, int samples)
    {
        double[] forward = [.. network.Layers.SelectMany(layer => layer.Leaves).Where(layer => layer.Parameters.Count > 0).Select(OfLayer)];
        return samples * ((3 * forward.Sum()) - forward[0]);
    }

    /// <summary>Those of a pass of a convolution over one image: taps in the padding have none.</summary>
    public static double OfConvolution(ConvolutionShape shape)
    {
        double rows = TapsInside(shape.OutputHeight, shape.Height, shape.KernelHeight, shape.Stride, shape.PaddingHeight);
        double columns = TapsInside(shape.OutputWidth, shape.Width, shape.KernelWidth, shape.Stride, shape.PaddingWidth);
        return rows * columns * shape.Channels * shape.Filters;
    }

    private static int TapsInside(int output, int input, int kernel, int stride, int padding) =>
        Enumerable.Range(0, output).Sum(o => Enumerable.Range((o * stride) - padding, kernel).Count(i => i >= 0 && i < input));

    /// <summary>Those of the forward product for one sample.</summary>
    private static double OfLayer(Layer layer) =>
        layer switch
        {
            DenseLayer => (double)layer.InputLength * layer.OutputLength,
            Conv2dLayer convolution => OfConvolution(convolution.Shape),
            _ when layer.Parameters.All(parameter => parameter.Shape.Count == 1) => 0, // a scale and a shift of each element
            _ => throw new NotSupportedException($"Nobody has said how many multiply-adds '{layer.Description}' has."),
        };
}
