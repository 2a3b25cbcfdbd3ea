using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// Pushes the sums of threads on the stack of the pass, one after the other; chunks are the shares of
/// <see cref="ConvolutionGradientWork"/>.
/// </summary>
/// <param name="sums">The pass, up to the rows of the last thread.</param>
/// <param name="firstMicrobatch">The first microbatch of the first thread.</param>
/// <param name="microbatches">Microbatches of a thread, a power of two.</param>
/// <param name="slots">Where the sum of each thread lies; null if it is on the stack already.</param>
/// <param name="threads">How many threads there are.</param>
internal readonly unsafe struct ConvolutionMergeWork(
    ConvolutionGradientWork sums,
    int firstMicrobatch,
    int microbatches,
    float** slots,
    int threads
) : IVectorizedWork
{
    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var share = sums.ShareOf(chunk, chunks);
        for (var thread = 0; thread < threads; thread++)
            sums.Push<TLanes, TVector>(share, firstMicrobatch + (thread * microbatches), microbatches, slots[thread]);
        sums.WriteIfComplete(share);
    }
}
