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

/// <summary>The loop that elementwise kernels share: cut over the team, whole vectors first, then one element at a time.</summary>
internal static class Elementwise
{
    /// <summary>Elements below which waking a thread costs more than it saves.</summary>
    private const int ElementsWorthSharing = 16384;

    /// <summary>Parts start on a cache line, so that no two threads write to the same one.</summary>
    private const int Granule = CacheLine.Length;

    /// <summary>Whether work that touches so many elements is shared by the threads of a team.</summary>
    public static bool IsWorthSharing(long elements) => elements >= ElementsWorthSharing;

    public static void Run<TKernel>(in TKernel kernel, int length, ComputeTeam? team)
        where TKernel : unmanaged, IElementwise
    {
        Share(new Work<TKernel>(kernel, length), length, team);
    }

    /// <summary>As <see cref="Run"/>, but, where the team defers, some time until it ends that.</summary>
    public static void Defer<TKernel>(in TKernel kernel, int length, ComputeTeam? team)
        where TKernel : unmanaged, IElementwise
    {
        var work = new Work<TKernel>(kernel, length);
        if (team is null || !IsWorthSharing(length))
            work.Execute(0, 1);
        else
            team.Defer(work);
    }

    /// <summary>
    /// Runs work that touches <paramref name="elements"/> elements: by the team if that is worth it, else by the caller alone.
    /// </summary>
    public static void Share<TWork>(TWork work, int elements, ComputeTeam? team)
        where TWork : unmanaged, IPartitionedWork
    {
        if (team is null || !IsWorthSharing(elements))
            work.Execute(0, 1);
        else
            team.Run(work);
    }

    private readonly struct Work<TKernel>(TKernel kernel, int length) : IPartitionedWork
        where TKernel : unmanaged, IElementwise
    {
        public void Execute(int part, int parts)
        {
            var (start, end) = ChunkRange.Of(length, Granule, part, parts);
            VectorWidth.Execute(new Loop<TKernel>(kernel, start, end));
        }
    }

    internal readonly struct Loop<TKernel>(TKernel kernel, int start, int end) : IVectorized
        where TKernel : unmanaged, IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>()
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
