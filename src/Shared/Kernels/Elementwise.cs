using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>What an elementwise kernel does to the elements from one index on: a struct of pointers and constants.</summary>
internal interface IElementwise
{
    void Apply<TLanes, TVector>(nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>The loop that elementwise kernels share: whole vectors first, then one element at a time.</summary>
internal static class Elementwise
{
    /// <summary>Chunks start on a cache line, so that no two threads write to the same one.</summary>
    private const int Granule = CacheLine.Length;

    public static void Run<TKernel>(in TKernel kernel, int length, ComputeTeam? team)
        where TKernel : unmanaged, IElementwise =>
        WorkSharing.Run(VectorizedWork.OfItems(new Loop<TKernel>(kernel), length, Granule), length, team);

    /// <summary>As <see cref="Run"/>; if the team is deferring, the kernel may run as late as the end of that.</summary>
    public static void Defer<TKernel>(in TKernel kernel, int length, ComputeTeam? team)
        where TKernel : unmanaged, IElementwise =>
        WorkSharing.Defer(VectorizedWork.OfItems(new Loop<TKernel>(kernel), length, Granule), length, team);

    internal readonly struct Loop<TKernel>(TKernel kernel) : IVectorizedRange
        where TKernel : unmanaged, IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>(int start, int end)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var operation = kernel;
            nint i = start;
            for (; i + TLanes.Count <= end; i += TLanes.Count)
                operation.Apply<TLanes, TVector>(i);
            for (; i < end; i++)
                operation.Apply<LanesScalar, float>(i);
        }
    }
}
