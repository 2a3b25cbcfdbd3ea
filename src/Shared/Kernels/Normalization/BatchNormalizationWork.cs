using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>What is done to a vector's worth of channels of one microbatch.</summary>
internal interface IChannelKernel
{
    /// <summary>Treats the channels from <paramref name="channel"/> on.</summary>
    void Apply<TLanes, TVector>(int microbatch, int channel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>
/// Goes over all microbatches and channels. Nothing is shared between two microbatches or two channels, so parts are ranges of the pairs of
/// both, channels in groups of a cache line.
/// </summary>
internal readonly struct BatchNormalizationWork<TKernel>(TKernel kernel, BatchNormalizationShape shape) : IPartitionedWork
    where TKernel : unmanaged, IChannelKernel
{
    private const int GroupLength = AlignedBuffer.Alignment / sizeof(float);

    private readonly TKernel _kernel = kernel;

    public void Execute(int part, int parts)
    {
        var groups = (shape.Channels + GroupLength - 1) / GroupLength;
        var (item, end) = ChunkRange.Of(shape.Microbatches * groups, 1, part, parts);
        while (item < end)
        {
            var (microbatch, group) = Math.DivRem(item, groups);
            var count = Math.Min(groups - group, end - item);
            int first = group * GroupLength,
                last = Math.Min((group + count) * GroupLength, shape.Channels);
            VectorWidth.Execute(new Channels(_kernel, microbatch, first, last));
            item += count;
        }
    }

    /// <summary>A range of channels of one microbatch, for one vector width.</summary>
    internal readonly struct Channels(TKernel kernel, int microbatch, int first, int end) : IVectorized
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var operation = kernel;
            var c = first;
            for (; c <= end - TLanes.Count; c += TLanes.Count)
                operation.Apply<TLanes, TVector>(microbatch, c);
            for (; c < end; c++)
                operation.Apply<LanesScalar, float>(microbatch, c);
        }
    }
}

/// <summary>Where a microbatch lies in [rows, positions, channels].</summary>
internal readonly struct MicrobatchPlace
{
    public MicrobatchPlace(in BatchNormalizationShape shape, int microbatch)
    {
        var first = microbatch * shape.Microbatch;
        Rows = Math.Min(shape.Microbatch, shape.Rows - first);
        Positions = shape.Positions;
        Stride = shape.Channels;
        Offset = (nint)first * shape.Positions * shape.Channels;
    }

    /// <summary>Index of its first element.</summary>
    public nint Offset { get; }

    /// <summary>Samples.</summary>
    public int Rows { get; }

    /// <summary>Pixels of a sample.</summary>
    public int Positions { get; }

    /// <summary>Floats from a pixel to the next.</summary>
    public int Stride { get; }

    /// <summary>Pixels of all samples.</summary>
    public int Pixels => Rows * Positions;
}
