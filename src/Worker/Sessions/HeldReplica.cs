using Distributed.Protocol;
using Distributed.Worker.Computing;

namespace Distributed.Worker.Sessions;

/// <summary>What a worker keeps between two sessions of one run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Settings">The settings that the replica was built from.</param>
/// <param name="Runner">Holds the replica and the links to other members; goes with this object.</param>
internal sealed record HeldReplica(RunContext Run, RunSettings Settings, WorkRunner Runner) : IAsyncDisposable
{
    /// <summary>Settles with other workers whose state is kept.</summary>
    public StateComparison Comparison { get; } = new(() => Runner.Held);

    /// <summary>The names of the optimizer's moments.</summary>
    public IReadOnlyList<string> MomentNames => Run.Settings.Optimizer.CreateOptimizer().MomentNames;

    /// <summary>Whether a coordinator's welcome is to the same run, with the same settings.</summary>
    public bool Belongs(CoordinatorMessage welcome) => welcome.Run == Run.Run && welcome.Welcome.Settings.Equals(Settings);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => Runner.DisposeAsync();
}
