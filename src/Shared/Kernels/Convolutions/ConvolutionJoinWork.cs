using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// Puts the sums of lanes on the stack of the pass, one after the other; parts are the shares of <see cref="ConvolutionGradientWork"/>.
/// </summary>
/// <param name="sums">The pass, as far as the last lane.</param>
/// <param name="firstMicrobatch">The first microbatch of the first lane.</param>
/// <param name="laneMicrobatches">Microbatches of a lane, a power of two.</param>
/// <param name="laneSlots">Where the sum of each lane lies; null if that is where it belongs.</param>
/// <param name="lanes">How many lanes there are.</param>
internal readonly unsafe struct ConvolutionJoinWork(
    ConvolutionGradientWork sums,
    int firstMicrobatch,
    int laneMicrobatches,
    float** laneSlots,
    int lanes
) : IPartitionedWork
{
    public void Execute(int part, int parts) => VectorWidth.Execute(new Core(this, part, parts));

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(ConvolutionJoinWork work, int part, int parts) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => work.Join<TLanes, TVector>(part, parts);
    }

    private void Join<TLanes, TVector>(int part, int parts)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var share = sums.ShareOf(part, parts);
        for (var lane = 0; lane < lanes; lane++)
            sums.Push<TLanes, TVector>(share, firstMicrobatch + (lane * laneMicrobatches), laneMicrobatches, laneSlots[lane]);
        sums.WriteIfComplete(share);
    }
}
