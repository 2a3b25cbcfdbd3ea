using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Pooling;

/// <summary>The windows' means. The items are output rows, counted over all images.</summary>
internal readonly unsafe struct AveragePoolingForward(float* input, PoolingShape shape, float* output) : IVectorizedRange
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (outputHeight, outputWidth, channels) = (shape.OutputHeight, shape.OutputWidth, shape.Channels);
        var (vertical, horizontal) = (shape.Vertical, shape.Horizontal);
        var rowLength = (nint)shape.Width * channels;
        var destination = output + ((nint)start * outputWidth * channels);
        for (var row = start; row < end; row++)
        {
            (var top, var bottom, _) = vertical.Covered(row % outputHeight);
            var inputRow = input + (((nint)(row / outputHeight) * shape.Height) + top) * rowLength;
            for (var ox = 0; ox < outputWidth; ox++, destination += channels)
            {
                (var left, var right, _) = horizontal.Covered(ox);
                var first = inputRow + ((nint)left * channels);
                var c = 0;
                for (; c <= channels - TLanes.Count; c += TLanes.Count)
                    TLanes.Store(Mean<TLanes, TVector>(first + c, bottom - top, rowLength, right - left, channels), destination + c);
                for (; c < channels; c++)
                    destination[c] = Mean<LanesScalar, float>(first + c, bottom - top, rowLength, right - left, channels);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Mean<TLanes, TVector>(float* row, int height, nint rowLength, int width, int pixelLength)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector sum = default;
        for (var y = 0; y < height; y++, row += rowLength)
        {
            var pixel = row;
            for (var x = 0; x < width; x++, pixel += pixelLength)
                sum = TLanes.Add(sum, TLanes.Load(pixel));
        }

        return TLanes.Divide(sum, TLanes.Broadcast(height * width));
    }
}

/// <summary>
/// Gathers, for each input pixel, its share of the gradients of the windows that cover it. The items are the input rows of all images.
/// </summary>
internal readonly unsafe struct AveragePoolingBackward(float* outputGradient, PoolingShape shape, float* inputGradient) : IVectorizedRange
{
    private readonly int _outputHeight = shape.OutputHeight;
    private readonly int _outputWidth = shape.OutputWidth;

    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var row = start; row < end; row++)
            Row<TLanes, TVector>(row);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row<TLanes, TVector>(int row)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (channels, horizontal) = (shape.Channels, shape.Horizontal);
        var destination = inputGradient + ((nint)row * shape.Width * channels);
        var image = outputGradient + ((nint)(row / shape.Height) * _outputHeight * _outputWidth * channels);
        (int First, int End) windowRows = shape.Vertical.Covering(row % shape.Height, _outputHeight),
            windows = default;
        for (var x = 0; x < shape.Width; x++, destination += channels)
        {
            windows = horizontal.Advance(windows, x, _outputWidth);
            var c = 0;
            for (; c <= channels - TLanes.Count; c += TLanes.Count)
                TLanes.Store(Sum<TLanes, TVector>(image + c, windowRows, windows), destination + c);
            for (; c < channels; c++)
                destination[c] = Sum<LanesScalar, float>(image + c, windowRows, windows);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Sum<TLanes, TVector>(float* channel, (int First, int End) windowRows, (int First, int End) windows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (vertical, horizontal) = (shape.Vertical, shape.Horizontal);
        TVector sum = default;
        for (var oy = windowRows.First; oy < windowRows.End; oy++)
        {
            var height = vertical.Count(oy);
            var gradient = channel + ((((nint)oy * _outputWidth) + windows.First) * shape.Channels);
            for (var ox = windows.First; ox < windows.End; ox++, gradient += shape.Channels)
                sum = TLanes.Add(sum, TLanes.Divide(TLanes.Load(gradient), TLanes.Broadcast(height * horizontal.Count(ox))));
        }

        return sum;
    }
}
