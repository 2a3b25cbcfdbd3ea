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
/// Goes over the channels of all microbatches, which share nothing. The items are groups of channels, a cache line each, counted over all
/// microbatches.
/// </summary>
internal readonly struct BatchNormalizationChannels<TKernel>(TKernel kernel, BatchNormalizationShape shape) : IVectorizedRange
    where TKernel : unmanaged, IChannelKernel
{
    private const int GroupLength = CacheLine.Length;

    private int Groups => (shape.Channels + GroupLength - 1) / GroupLength;

    /// <summary>Runs all of them, by the team if that is worthwhile.</summary>
    public void Run(ComputeTeam team) => VectorizedWork.Run(this, shape.Microbatches * Groups, shape.Length, team);

    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int item = start, count; item < end; item += count)
        {
            var (microbatch, group) = Math.DivRem(item, Groups);
            count = Math.Min(Groups - group, end - item);
            var last = Math.Min((group + count) * GroupLength, shape.Channels);
            Microbatch<TLanes, TVector>(microbatch, group * GroupLength, last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Microbatch<TLanes, TVector>(int microbatch, int first, int end)
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
