using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;

namespace Distributed.Kernels;

/// <summary>Moves the samples of images between the planar order (C, H, W) and channels-last (H, W, C); pixels stands for H * W.</summary>
internal static unsafe class ChannelOrder
{
    /// <summary>destination[row, pixel, channel] = planar[row, channel, pixel].</summary>
    /// <param name="planar">[rows, channels, pixels].</param>
    /// <param name="channels">Number of channels, at least 1.</param>
    /// <param name="pixels">Number of pixels, at least 1.</param>
    /// <param name="destination">[rows, pixels, channels]; overwritten, must not overlap the source.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ or are not whole rows.</exception>
    public static void ToChannelsLast(ReadOnlySpan<float> planar, int channels, int pixels, Span<float> destination, ComputeTeam team) =>
        Transpose(planar, channels, pixels, destination, team);

    /// <summary>destination[row, channel, pixel] = channelsLast[row, pixel, channel].</summary>
    /// <param name="channelsLast">[rows, pixels, channels].</param>
    /// <param name="channels">Number of channels, at least 1.</param>
    /// <param name="pixels">Number of pixels, at least 1.</param>
    /// <param name="destination">[rows, channels, pixels]; overwritten, must not overlap the source.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ or are not whole rows.</exception>
    public static void ToPlanar(ReadOnlySpan<float> channelsLast, int channels, int pixels, Span<float> destination, ComputeTeam team) =>
        Transpose(channelsLast, pixels, channels, destination, team);

    private static void Transpose(ReadOnlySpan<float> source, int lines, int columns, Span<float> destination, ComputeTeam team)
    {
        var length = checked(lines * columns);
        if (length < 1 || source.Length % length != 0)
            throw new ArgumentException($"{source.Length} elements are not rows of {lines} x {columns}.", nameof(source));
        if (source.Length != destination.Length)
            throw new ArgumentException($"{source.Length} elements do not fill {destination.Length}.", nameof(destination));
        fixed (
            float* sources = source,
                destinations = destination
        )
        {
            WorkSharing.Run(new Samples(sources, source.Length / length, lines, columns, destinations), source.Length, team);
        }
    }

    /// <summary>One matrix of [lines, columns] a sample, each transposed for itself; a chunk has whole samples.</summary>
    private readonly struct Samples(float* source, int rows, int lines, int columns, float* destination) : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            var (start, end) = ChunkRange.Of(rows, 1, chunk, chunks);
            var length = (nint)lines * columns;
            for (var row = start; row < end; row++)
                PanelPacking.Transpose(source + (row * length), columns, lines, columns, destination + (row * length), lines);
        }
    }
}
