using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Exchange;

/// <summary>Where streams that peers open find the view that they belong to, and state requests the replica.</summary>
internal sealed class PeerHub
{
    /// <summary>How long a peer that is ahead by a view is kept waiting for this worker to get there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ViewLinks? _view;
    private IStateSource? _state;

    /// <summary>Lets streams of a view in.</summary>
    public void Enter(ViewLinks view) => Change(() => _view = view);

    /// <summary>Lets state requests in.</summary>
    public void Serve(IStateSource state) => Change(() => _state = state);

    /// <summary>The view of a generation; waits for one that is yet to come.</summary>
    /// <exception cref="RpcException">The generation is over, or does not come.</exception>
    public Task<ViewLinks> ViewAsync(ViewGeneration generation, CancellationToken cancellationToken) => FindAsync(
        () => _view is { } view && view.Generation >= generation ? view : null,
        view => view.Generation == generation,
        $"view {generation}",
        cancellationToken);

    /// <summary>The replica's state; waits for the replica.</summary>
    public Task<IStateSource> StateAsync(CancellationToken cancellationToken) => FindAsync(() => _state, _ => true, "a state", cancellationToken);

    private async Task<T> FindAsync<T>(Func<T?> find, Func<T, bool> isRight, string what, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find() is { } found)
                    return isRight(found) ? found : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"{what} is over on this worker"));
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(Patience, cancellationToken);
            }
            catch (TimeoutException)
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"this worker has no {what} after {Patience.TotalSeconds:0} seconds"));
            }
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            change();
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}

/// <summary>A replica's state, for those that lack it.</summary>
internal interface IStateSource
{
    /// <summary>The weights and moments after a step; waits for the step.</summary>
    /// <exception cref="RpcException">The step is past.</exception>
    Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken);
}
