namespace Distributed.Kernels.Threads;

/// <summary>
/// Work that a <see cref="ComputeTeam"/> executes in chunks, one a thread. An implementation is, as a rule, a small struct of pointers
/// and sizes. Which elements a chunk covers may depend on the number of chunks, but what is computed for an element never does.
/// </summary>
internal interface IChunkedWork
{
    /// <summary>Executes chunk <paramref name="chunk"/> of <paramref name="chunks"/>; chunks run at the same time.</summary>
    void Execute(int chunk, int chunks);
}
