using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Pooling;

/// <summary>
/// The windows' maxima and, unless <c>winners</c> is null, where they stand. The items are output rows, counted over all images.
/// </summary>
internal readonly unsafe struct MaxPoolingForward(float* input, PoolingShape shape, float* output, float* winners, bool maskRelu)
    : IVectorizedRange
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (outputHeight, outputWidth, channels) = (shape.OutputHeight, shape.OutputWidth, shape.Channels);
        var (vertical, horizontal) = (shape.Vertical, shape.Horizontal);
        nint rowLength = (nint)shape.Width * channels,
            offset = (nint)start * outputWidth * channels;
        for (var outputRow = start; outputRow < end; outputRow++)
        {
            var (top, bottom, tapY) = vertical.Covered(outputRow % outputHeight);
            var inputRow = input + (((nint)(outputRow / outputHeight) * shape.Height) + top) * rowLength;
            for (var ox = 0; ox < outputWidth; ox++, offset += channels)
            {
                var (left, right, tapX) = horizontal.Covered(ox);
                var window = new Window
                {
                    First = inputRow + ((nint)left * channels),
                    RowLength = rowLength,
                    PixelLength = channels,
                    Height = bottom - top,
                    Width = right - left,
                    FirstTap = (tapY * shape.KernelWidth) + tapX,
                    TapsInRow = shape.KernelWidth,
                };
                Pixel<TLanes, TVector>(window, channels, offset);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Pixel<TLanes, TVector>(in Window window, int channels, nint offset)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var c = 0;
        if (window is { Height: 2, Width: 2 })
        {
            for (; c <= channels - TLanes.Count; c += TLanes.Count)
                Store(window.OfFour<TLanes, TVector>(c), offset + c);
        }

        for (; c <= channels - TLanes.Count; c += TLanes.Count)
            Store(window.Of<TLanes, TVector>(c), offset + c);
        for (; c < channels; c++)
            Store(window.Of<LanesScalar, float>(c), offset + c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store<TLanes, TVector>(in Winner<TLanes, TVector> winner, nint offset)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TLanes.Store(winner.Value, output + offset);
        if (winners == null)
            return;
        var tap = maskRelu ? TLanes.SelectGreater(winner.Value, default, winner.Tap, TLanes.Broadcast(-1)) : winner.Tap;
        TLanes.Store(tap, winners + offset);
    }

    /// <summary>The elements of one window that lie inside the image.</summary>
    private struct Window
    {
        public float* First;
        public nint RowLength;
        public nint PixelLength;
        public int Height;
        public int Width;
        public int FirstTap;
        public int TapsInRow;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Winner<TLanes, TVector> Of<TLanes, TVector>(int channel)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var row = First + channel;
            var winner = new Winner<TLanes, TVector>(TLanes.Load(row), TLanes.Broadcast(FirstTap));
            for (var y = 0; y < Height; y++, row += RowLength)
            {
                var pixel = row;
                for (var x = 0; x < Width; x++, pixel += PixelLength)
                    winner = winner.Against(TLanes.Load(pixel), FirstTap + (y * TapsInRow) + x);
            }

            return winner;
        }

        /// <summary>Two rows of two: the usual case, without loops.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Winner<TLanes, TVector> OfFour<TLanes, TVector>(int channel)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            float* first = First + channel,
                second = first + RowLength;
            return new Winner<TLanes, TVector>(TLanes.Load(first), TLanes.Broadcast(FirstTap))
                .Against(TLanes.Load(first + PixelLength), FirstTap + 1)
                .Against(TLanes.Load(second), FirstTap + TapsInRow)
                .Against(TLanes.Load(second + PixelLength), FirstTap + TapsInRow + 1);
        }
    }

    private readonly struct Winner<TLanes, TVector>(TVector value, TVector tap)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        public readonly TVector Value = value;
        public readonly TVector Tap = tap;

        /// <summary>A candidate wins if it is greater, or not a number: then alone it does not equal itself.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Winner<TLanes, TVector> Against(TVector candidate, float tap) =>
            new(
                TLanes.SelectGreater(candidate, Value, candidate, TLanes.SelectEqual(candidate, candidate, Value, candidate)),
                TLanes.SelectGreater(
                    candidate,
                    Value,
                    TLanes.Broadcast(tap),
                    TLanes.SelectEqual(candidate, candidate, Tap, TLanes.Broadcast(tap))
                )
            );
    }
}
