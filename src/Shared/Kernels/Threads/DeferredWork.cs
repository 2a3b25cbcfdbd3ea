namespace Distributed.Kernels.Threads;

/// <summary>
/// Works that wait until a team carries them out beside another: a queue of copies, so that nothing is allocated for one.
/// </summary>
internal sealed unsafe class DeferredWork
{
    /// <summary>The most that wait: pieces of a gradient are far fewer between two runs.</summary>
    public const int Capacity = 64;

    /// <summary>Bytes of the largest work that can wait: an update's pointers and constants.</summary>
    private const int WorkBytes = 128;

    private readonly Entry[] _entries = GC.AllocateArray<Entry>(Capacity, pinned: true);

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a copy of a work and how to carry out its parts; false if there is no room for it.</summary>
    public bool TryAdd<TWork>(delegate* <void*, int, int, void> execute, TWork work)
        where TWork : unmanaged
    {
        if (Count == Capacity || sizeof(TWork) > WorkBytes)
            return false;
        ref var entry = ref _entries[Count++];
        entry.Execute = execute;
        fixed (byte* copy = entry.Work)
            *(TWork*)copy = work;
        return true;
    }

    /// <summary>The work at an index, at an address that stays, and how to carry out its parts.</summary>
    public void* At(int index, out delegate* <void*, int, int, void> execute)
    {
        ref var entry = ref _entries[index];
        execute = entry.Execute;
        fixed (byte* work = entry.Work)
            return work;
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear() => Count = 0;

    private struct Entry
    {
        public delegate* <void*, int, int, void> Execute;
        public fixed byte Work[WorkBytes];
    }
}
