namespace Distributed.Shared.Tests.Model;

/// <summary>The layers of images on one planar sample at a time, by their definitions.</summary>
internal static class ReferenceImages
{
    /// <summary>
    /// y[f, i, j] = bias[f] + the sum over c, u, v of weight[f, c, u, v] x[c, stride i + u - padding, stride j + v - padding], outside of x
    /// nothing.
    /// </summary>
    public static double[] Convolve(double[] x, SampleShape shape, Window window, double[] weight, double[] bias, SampleShape output)
    {
        var y = new double[output.Length];
        for (var f = 0; f < output.Channels; f++)
        {
            foreach (var (place, i, j) in Pixels(output, f))
            {
                y[place] = bias[f];
                for (var c = 0; c < shape.Channels; c++)
                {
                    y[place] += window
                        .At(shape, c, i, j)
                        .Sum(tap => x[tap.Index] * weight[(((f * shape.Channels) + c) * window.Height * window.Width) + tap.Tap]);
                }
            }
        }

        return y;
    }

    /// <summary>One number from each window of each channel; padding is not in it.</summary>
    public static double[] Pool(double[] x, SampleShape shape, Window window, SampleShape output, Func<IEnumerable<double>, double> number)
    {
        var y = new double[output.Length];
        for (var c = 0; c < output.Channels; c++)
        {
            foreach (var (place, i, j) in Pixels(output, c))
                y[place] = number(window.At(shape, c, i, j).Select(tap => x[tap.Index]));
        }

        return y;
    }

    private static IEnumerable<(int Place, int Row, int Column)> Pixels(SampleShape shape, int channel) =>
        Enumerable
            .Range(0, shape.Height * shape.Width)
            .Select(pixel => ((channel * shape.Height * shape.Width) + pixel, pixel / shape.Width, pixel % shape.Width));

    /// <summary>Where a kernel or a pooling window lies.</summary>
    public sealed record Window(int Height, int Width, int Stride, int PaddingHeight, int PaddingWidth)
    {
        public SampleShape Output(SampleShape input, int channels) =>
            new(
                channels,
                ((input.Height + (2 * PaddingHeight) - Height) / Stride) + 1,
                ((input.Width + (2 * PaddingWidth) - Width) / Stride) + 1
            );

        /// <summary>The taps of one output pixel that lie inside of a channel: number of the tap, and index in the planar sample.</summary>
        public IEnumerable<(int Tap, int Index)> At(SampleShape shape, int channel, int row, int column)
        {
            for (var tap = 0; tap < Height * Width; tap++)
            {
                int i = (Stride * row) + (tap / Width) - PaddingHeight,
                    j = (Stride * column) + (tap % Width) - PaddingWidth;
                if (i >= 0 && i < shape.Height && j >= 0 && j < shape.Width)
                    yield return (tap, (((channel * shape.Height) + i) * shape.Width) + j);
            }
        }
    }
}
