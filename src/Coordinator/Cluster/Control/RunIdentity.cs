namespace Distributed.Coordinator.Cluster.Control;

/// <summary>What tells one run, and one coordinator of it, from another.</summary>
/// <param name="Run">Random, on every message.</param>
/// <param name="Epoch">Raised each time a coordinator takes the run over.</param>
internal sealed record RunIdentity(ulong Run, uint Epoch);
