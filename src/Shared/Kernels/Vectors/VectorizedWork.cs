using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Vectors;

/// <summary>A kernel that a team executes in chunks, written once for all vector widths.</summary>
internal interface IVectorizedWork
{
    /// <summary>Executes one chunk; see <see cref="IChunkedWork.Execute"/>.</summary>
    void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>A kernel over items that share nothing, such as rows or columns, written once for all vector widths.</summary>
internal interface IVectorizedRange
{
    /// <summary>Treats the items from <paramref name="start"/> to below <paramref name="end"/>.</summary>
    void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>Runs a kernel's chunks with the widest vectors of this machine.</summary>
internal readonly struct VectorizedWork<TKernel>(TKernel kernel) : IChunkedWork
    where TKernel : unmanaged, IVectorizedWork
{
    public void Execute(int chunk, int chunks) => VectorWidth.Execute(new Chunk(kernel, chunk, chunks));

    private readonly struct Chunk(TKernel kernel, int chunk, int chunks) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => kernel.Execute<TLanes, TVector>(chunk, chunks);
    }
}

/// <summary>Makes contiguous ranges of items the chunks of a kernel.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="items">Number of items.</param>
/// <param name="granule">Ranges start at multiples of it.</param>
internal readonly struct VectorizedRange<TKernel>(TKernel kernel, int items, int granule) : IVectorizedWork
    where TKernel : unmanaged, IVectorizedRange
{
    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (start, end) = ChunkRange.Of(items, granule, chunk, chunks);
        kernel.Execute<TLanes, TVector>(start, end);
    }
}

/// <summary>The one place where kernels meet threads and vector widths.</summary>
internal static class VectorizedWork
{
    /// <summary>A kernel as work for a team.</summary>
    public static VectorizedWork<TKernel> Of<TKernel>(in TKernel kernel)
        where TKernel : unmanaged, IVectorizedWork => new(kernel);

    /// <summary>A kernel over a number of items as work for a team.</summary>
    public static VectorizedWork<VectorizedRange<TKernel>> OfItems<TKernel>(in TKernel kernel, int items, int granule = 1)
        where TKernel : unmanaged, IVectorizedRange => new(new VectorizedRange<TKernel>(kernel, items, granule));

    /// <summary>Runs a kernel over a number of items, by the team if the elements that it touches are worth sharing.</summary>
    public static void Run<TKernel>(in TKernel kernel, int items, long elements, ComputeTeam? team)
        where TKernel : unmanaged, IVectorizedRange => WorkSharing.Run(OfItems(kernel, items), elements, team);
}
