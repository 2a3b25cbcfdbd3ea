using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>Where streams that other members open find the view that they belong to, and requests for the state find it.</summary>
/// <param name="time">The clock; null for the system's.</param>
public sealed class ViewDirectory(TimeProvider? time = null) : IFrameSink
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ViewLinks? _view;
    private IStateSource? _state;

    /// <summary>Lets streams of a view in.</summary>
    /// <param name="view">The view; later than all before.</param>
    public void Enter(ViewLinks view) => Change(() => _view = view);

    /// <summary>Lets state requests in.</summary>
    /// <param name="state">What answers them.</param>
    public void Serve(IStateSource state) => Change(() => _state = state);

    /// <summary>The view of a generation; waits for one that is yet to come.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RpcException">The generation is over, or does not come.</exception>
    public Task<ViewLinks> ViewAsync(ViewGeneration generation, CancellationToken cancellationToken) =>
        FindAsync(
            () => _view is { } view && view.Generation >= generation ? view : null,
            view => view.Generation == generation,
            $"view {generation}",
            cancellationToken
        );

    /// <summary>What holds the state; waits for it.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<IStateSource> StateAsync(CancellationToken cancellationToken) =>
        FindAsync(() => _state, _ => true, "a state", cancellationToken);

    /// <inheritdoc />
    public Memory<float> Destination(in FrameHeader header, int count) =>
        Volatile.Read(ref _view)?.Sink.Destination(header, count) ?? default;

    /// <inheritdoc />
    public bool IsEarly(in FrameHeader header) => Volatile.Read(ref _view)?.Sink.IsEarly(header) ?? false;

    private async Task<T> FindAsync<T>(Func<T?> find, Func<T, bool> isRight, string what, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find() is { } found)
                {
                    return isRight(found)
                        ? found
                        : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"{what} is over here"));
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(WireLimits.ViewOpeningTime, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                throw new RpcException(
                    new Status(
                        StatusCode.FailedPrecondition,
                        $"there is no {what} here after {WireLimits.ViewOpeningTime.TotalMinutes:0} minutes"
                    )
                );
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

/// <summary>The training state, for those that lack it.</summary>
public interface IStateSource
{
    /// <summary>The identity of the run whose state it is.</summary>
    ulong Run { get; }

    /// <summary>The weights and moments after a step; waits for the step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RpcException">The step is past.</exception>
    Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken);
}
