using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Pooling;

/// <summary>
/// Gives each input pixel the gradients of the windows that it won. The items are input rows, counted over all images.
/// </summary>
internal readonly unsafe struct MaxPoolingBackward(float* winners, float* outputGradient, PoolingShape shape, float* inputGradient)
    : IVectorizedRange
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

    private void Row<TLanes, TVector>(int row)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var y = row % shape.Height;
        var destination = inputGradient + ((nint)row * shape.Width * shape.Channels);
        var image = (nint)(row / shape.Height) * _outputHeight * _outputWidth * shape.Channels;
        var (first, end) = shape.Vertical.Covering(y, _outputHeight);
        if (first == end)
            new Span<float>(destination, shape.Width * shape.Channels).Clear();
        else if (shape.StrideHeight >= shape.KernelHeight && shape.StrideWidth >= shape.KernelWidth)
            Spread<TLanes, TVector>(image + ((nint)first * _outputWidth * shape.Channels), TapRow(y, first), destination);
        else
            Gather<TLanes, TVector>(image, y, (first, end), destination);
    }

    /// <summary>
    /// The tap of the first column in the row of taps with which window row <paramref name="oy"/> covers input row <paramref name="y"/>.
    /// </summary>
    private int TapRow(int y, int oy) => (y + shape.PaddingHeight - (oy * shape.StrideHeight)) * shape.KernelWidth;

    /// <summary>A row of windows that do not overlap: each is read once and written to all of its pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Spread<TLanes, TVector>(nint offset, int tapRow, float* destination)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (channels, done, horizontal) = (shape.Channels, 0, shape.Horizontal);
        for (var ox = 0; ox < _outputWidth; ox++, offset += channels)
        {
            var (left, right, tap) = horizontal.Covered(ox);
            if (left > done)
                new Span<float>(destination + ((nint)done * channels), (left - done) * channels).Clear();
            done = right;
            var window = new Pixels(winners + offset, outputGradient + offset, tapRow + tap, right - left, channels);
            window.Write<TLanes, TVector>(destination + ((nint)left * channels));
        }

        new Span<float>(destination + ((nint)done * channels), (shape.Width - done) * channels).Clear();
    }

    /// <summary>Pixel by pixel, the sum over the windows that cover it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gather<TLanes, TVector>(nint image, int y, (int First, int End) windowRows, float* destination)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (channels, horizontal) = (shape.Channels, shape.Horizontal);
        (int First, int End) windows = default;
        for (var x = 0; x < shape.Width; x++, destination += channels)
        {
            windows = horizontal.Advance(windows, x, _outputWidth);
            var c = 0;
            for (; c <= channels - TLanes.Count; c += TLanes.Count)
                TLanes.Store(Sum<TLanes, TVector>(image + c, (x, y), windowRows, windows), destination + c);
            for (; c < channels; c++)
                destination[c] = Sum<LanesScalar, float>(image + c, (x, y), windowRows, windows);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Sum<TLanes, TVector>(nint channel, (int X, int Y) pixel, (int First, int End) windowRows, (int First, int End) windows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector sum = default;
        for (var oy = windowRows.First; oy < windowRows.End; oy++)
        {
            var tap = TapRow(pixel.Y, oy) + pixel.X + shape.PaddingWidth - (windows.First * shape.StrideWidth);
            var offset = channel + ((((nint)oy * _outputWidth) + windows.First) * shape.Channels);
            for (var ox = windows.First; ox < windows.End; ox++, tap -= shape.StrideWidth, offset += shape.Channels)
                sum = TLanes.Add(sum, IfWon<TLanes, TVector>(TLanes.Load(winners + offset), tap, TLanes.Load(outputGradient + offset)));
        }

        return sum;
    }

    /// <summary>The gradient where the winner is this tap, else +0. Winners are whole numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector IfWon<TLanes, TVector>(TVector winner, int tap, TVector gradient)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectEqual(winner, TLanes.Broadcast(tap), gradient, default);

    /// <summary>The pixels of one input row that one window covers.</summary>
    private readonly struct Pixels(float* winners, float* outputGradient, int tap, int width, int channels)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Write<TLanes, TVector>(float* destination)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var c = 0;
            for (; c <= channels - TLanes.Count; c += TLanes.Count)
                WriteChannels<TLanes, TVector>(destination, c);
            for (; c < channels; c++)
                WriteChannels<LanesScalar, float>(destination, c);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void WriteChannels<TLanes, TVector>(float* destination, int c)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var winner = TLanes.Load(winners + c);
            var gradient = TLanes.Add(TLanes.Load(outputGradient + c), default); // the chain from +0
            var pixel = destination + c;
            for (var x = 0; x < width; x++, pixel += channels)
                TLanes.Store(IfWon<TLanes, TVector>(winner, tap + x, gradient), pixel);
        }
    }
}
