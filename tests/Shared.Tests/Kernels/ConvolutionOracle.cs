using Distributed.Kernels.Convolutions;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>The definitions of the convolution's passes, one scalar operation after the other. Images are channels-last.</summary>
internal sealed class ConvolutionOracle(ConvolutionShape shape)
{
    /// <summary>Chains over (kh, kw, channel), then the bias, if there is one, then ReLU.</summary>
    public float[] Forward(float[] input, float[] weights, float[] bias, int rows)
    {
        var output = new float[rows * shape.OutputLength];
        for (var i = 0; i < output.Length; i++)
        {
            var (pixel, filter) = Math.DivRem(i, shape.Filters);
            float sum = 0;
            foreach (var (tap, inputPixel) in TapsReaching(pixel))
            {
                for (var c = 0; c < shape.Channels; c++)
                    sum = MathF.FusedMultiplyAdd(input[(inputPixel * shape.Channels) + c], weights[Weight(filter, c, tap)], sum);
            }

            var biased = bias.Length > 0 ? sum + bias[filter] : sum;
            output[i] = biased < 0 ? 0 : biased;
        }

        return output;
    }

    /// <summary>Chains over (oy, ox, filter).</summary>
    public float[] InputGradient(float[] outputGradient, float[] weights, int rows)
    {
        var gradient = new float[rows * shape.InputLength];
        for (var pixel = 0; pixel < rows * shape.OutputPixels; pixel++)
        {
            foreach (var (tap, inputPixel) in TapsReaching(pixel))
            {
                for (var i = 0; i < shape.Channels * shape.Filters; i++)
                {
                    var (filter, c) = Math.DivRem(i, shape.Channels);
                    ref var sum = ref gradient[(inputPixel * shape.Channels) + c];
                    sum = MathF.FusedMultiplyAdd(outputGradient[(pixel * shape.Filters) + filter], weights[Weight(filter, c, tap)], sum);
                }
            }
        }

        return gradient;
    }

    /// <summary>Chains over (image, oy, ox) inside a microbatch, the tree across microbatches.</summary>
    public (float[] Weights, float[] Bias) ParameterGradient(float[] input, float[] outputGradient, int rows, int microbatch)
    {
        List<float[]> weightLeaves = [],
            biasLeaves = [];
        for (var start = 0; start < rows; start += microbatch)
        {
            float[] weights = new float[shape.WeightLength],
                bias = new float[shape.Filters];
            for (var pixel = start * shape.OutputPixels; pixel < Math.Min(rows, start + microbatch) * shape.OutputPixels; pixel++)
                AddPixel(input, outputGradient, pixel, weights, bias);
            weightLeaves.Add(weights);
            biasLeaves.Add(bias);
        }

        return (Merge(weightLeaves), Merge(biasLeaves));
    }

    private void AddPixel(float[] input, float[] outputGradient, int pixel, float[] weights, float[] bias)
    {
        for (var filter = 0; filter < shape.Filters; filter++)
        {
            var gradient = outputGradient[(pixel * shape.Filters) + filter];
            bias[filter] += gradient;
            foreach (var (tap, inputPixel) in TapsReaching(pixel))
            {
                for (var c = 0; c < shape.Channels; c++)
                {
                    ref var sum = ref weights[Weight(filter, c, tap)];
                    sum = MathF.FusedMultiplyAdd(input[(inputPixel * shape.Channels) + c], gradient, sum);
                }
            }
        }
    }

    /// <summary>The taps of an output pixel of the batch that lie inside the image, each with its input pixel of the batch.</summary>
    private List<(int Tap, int InputPixel)> TapsReaching(int pixel)
    {
        var (image, place) = Math.DivRem(pixel, shape.OutputPixels);
        var (oy, ox) = Math.DivRem(place, shape.OutputWidth);
        List<(int Tap, int InputPixel)> taps = [];
        for (var tap = 0; tap < shape.Taps; tap++)
        {
            var y = (oy * shape.Stride) + (tap / shape.KernelWidth) - shape.PaddingHeight;
            var x = (ox * shape.Stride) + (tap % shape.KernelWidth) - shape.PaddingWidth;
            if (y >= 0 && y < shape.Height && x >= 0 && x < shape.Width)
                taps.Add((tap, (((image * shape.Height) + y) * shape.Width) + x));
        }

        return taps;
    }

    private int Weight(int filter, int channel, int tap) => (((filter * shape.Channels) + channel) * shape.Taps) + tap;

    private static float[] Merge(List<float[]> leaves) =>
        [.. Enumerable.Range(0, leaves[0].Length).Select(i => Oracle.Tree([.. leaves.Select(leaf => leaf[i])]))];
}
