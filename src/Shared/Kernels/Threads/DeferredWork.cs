namespace Distributed.Kernels.Threads;

/// <summary>
/// Deferred work items, which a team executes during another run: a queue of copies, so that deferring allocates nothing.
/// </summary>
internal sealed unsafe class DeferredWork
{
    /// <summary>The most work items that can wait; between two runs, far fewer pieces of a gradient are completed.</summary>
    public const int Capacity = 64;

    /// <summary>Bytes of the largest work item that can wait: an update's pointers and constants.</summary>
    private const int WorkBytes = 128;

    private readonly Entry[] _entries = GC.AllocateArray<Entry>(Capacity, pinned: true);

    /// <summary>Number of work items that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a copy of a work item and the function that executes its chunks; false if there is no room for it.</summary>
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

    /// <summary>The work item at an index, whose address is fixed, and the function that executes its chunks.</summary>
    public void* At(int index, out delegate* <void*, int, int, void> execute)
    {
        ref var entry = ref _entries[index];
        execute = entry.Execute;
        fixed (byte* work = entry.Work)
            return work;
    }

    /// <summary>Removes all of them.</summary>
    public void Clear() => Count = 0;

    private struct Entry
    {
        public delegate* <void*, int, int, void> Execute;
        public fixed byte Work[WorkBytes];
    }
}
