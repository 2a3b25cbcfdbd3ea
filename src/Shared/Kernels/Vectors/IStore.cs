using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Vectors;

/// <summary>How a kernel writes its results.</summary>
internal unsafe interface IStore
{
    static abstract void Store<TLanes, TVector>(TVector value, float* destination)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>Through the caches: for results that are read again soon.</summary>
internal readonly unsafe struct CachedStore : IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes, TVector>(TVector value, float* destination)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.Store(value, destination);
}

/// <summary>
/// Past the caches: a line is not read before it is written, which saves two of the seven streams of momentum SGD, and three of Adam's ten.
/// </summary>
internal readonly unsafe struct StreamingStore : IStore
{
    /// <summary>
    /// Bytes that a pass touches from which on none of them would still be in the caches when they are next read. Measured on cores with 32
    /// MiB of last-level cache: a step of 117 MiB takes two thirds of the time, one of 13 MiB takes longer.
    /// </summary>
    private const long BytesBeyondCaches = 64 << 20;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TLanes, TVector>(TVector value, float* destination)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.StoreStreaming(value, destination);

    /// <summary>Whether a pass should store this way.</summary>
    /// <param name="elements">Floats that it reads and writes.</param>
    /// <param name="destinations">The addresses it writes to, joined by "or": all must be aligned.</param>
    public static bool Suits(long elements, nuint destinations) =>
        elements * sizeof(float) >= BytesBeyondCaches && destinations % AlignedBuffer.Alignment == 0;

    /// <summary>
    /// Defers a kernel that stores this way; such stores, unlike others, may become visible after writes that follow them.
    /// </summary>
    public static void Defer<TKernel>(in TKernel kernel, int length, ComputeTeam? team)
        where TKernel : unmanaged, IElementwise
    {
        Elementwise.Defer(kernel, length, team);
        // For the caller's part, if it is done; a helper reports the end of its own by an interlocked operation.
        Interlocked.MemoryBarrier();
    }
}
