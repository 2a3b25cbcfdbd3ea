namespace Distributed.Kernels.Threads;

/// <summary>
/// Work that a <see cref="ComputeTeam"/> carries out in parts. An implementation is, as a rule, a small struct of pointers and sizes; which
/// elements a part covers may depend on the number of parts, but what is computed for an element never does.
/// </summary>
public interface IPartitionedWork
{
    /// <summary>Carries out part <paramref name="part"/> of <paramref name="parts"/>; parts run at the same time.</summary>
    void Execute(int part, int parts);
}
