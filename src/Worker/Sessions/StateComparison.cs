using Distributed.Protocol;

namespace Distributed.Worker.Sessions;

/// <summary>
/// Whose state is left on disk when the coordinator never returns: that of the worker with the highest position in the latest lineage, of
/// several the one with the lowest number. It stays until the others have asked it: one that finds nobody would leave its state as well.
/// </summary>
/// <param name="own">What this worker holds.</param>
internal sealed class StateComparison(Func<HeldState> own)
{
    private readonly Lock _lock = new();
    private readonly HashSet<(uint, int)> _asked = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether a worker leaves its state to another one. Of any two, exactly one does.</summary>
    /// <param name="own">What the worker holds.</param>
    /// <param name="other">What the other one holds.</param>
    public static bool LeavesItTo(HeldState own, HeldState other) => Order(other).CompareTo(Order(own)) < 0;

    /// <summary>Answers a worker that tells what it holds.</summary>
    /// <param name="other">That.</param>
    public HeldState Answer(HeldState other)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _asked.Add(NameOf(other));
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
        return own();
    }

    /// <summary>Waits until others have asked.</summary>
    /// <param name="others">The others.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task AskedByAsync(IReadOnlyCollection<HeldState> others, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (others.All(other => _asked.Contains(NameOf(other))))
                    return;
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    // The first writes. A number is good for one coordinator: who has seen the later one comes first.
    private static (long, long, long, int) Order(HeldState state) =>
        (-state.Lineage, -(long)state.Position, -(long)state.Epoch, state.Worker);

    private static (uint, int) NameOf(HeldState state) => (state.Epoch, state.Worker);
}
