using System.Net.Sockets;
using Distributed.Collectives.Transports.Streams;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>Routes streams opened by other members to their view, and state requests to the state.</summary>
/// <param name="time">The clock; null for the system's.</param>
internal sealed class ViewDirectory(TimeProvider? time = null)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExchangeView? _view;
    private IStateSource? _state;

    /// <summary>What lets members open raw streams.</summary>
    internal Tickets Tickets { get; } = new(time ?? TimeProvider.System);

    /// <summary>The name of the Unix domain socket that this process accepts raw streams on; empty if there is none.</summary>
    public string LocalSocketName { get; set; } = "";

    /// <summary>Answers another member that tells what it holds by what this one holds; null before there is anything.</summary>
    public Func<HeldState, HeldState>? Compare { get; set; }

    /// <summary>Lets streams of a view in.</summary>
    /// <param name="view">The view; later than all before.</param>
    public void Enter(ExchangeView view) => Change(() => _view = view);

    /// <summary>Lets state requests in.</summary>
    /// <param name="state">What answers them.</param>
    public void Serve(IStateSource state) => Change(() => _state = state);

    /// <summary>
    /// The view of a generation; waits for one that is yet to come, for as long as the caller does: this process may still have much to do
    /// that it was granted before.
    /// </summary>
    /// <param name="generation">The generation.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RpcException">The generation is over.</exception>
    public Task<ExchangeView> ViewAsync(ViewGeneration generation, CancellationToken cancellationToken) =>
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

    /// <summary>Takes a raw stream for the view whose ticket it carries.</summary>
    /// <param name="preamble">What the stream began with.</param>
    /// <param name="socket">The stream; taken over if this returns true.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<bool> TryAcceptAsync(StreamPreamble preamble, Socket socket, CancellationToken cancellationToken)
    {
        if (Tickets.Redeem(preamble.Ticket) is not var (view, rank))
            return false;
        CongestionControl.Apply(socket);
        LocalSocket.Prepare(socket);
        await StreamPreamble.AcknowledgeAsync(socket, cancellationToken);
        return view.TryAccept(rank, preamble.IsShared, socket);
    }

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

            await changed.WaitAsync(cancellationToken);
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

/// <summary>Serves the training state to members that lack it.</summary>
internal interface IStateSource
{
    /// <summary>The identity of the run whose state it is.</summary>
    ulong Run { get; }

    /// <summary>The weights and moments after a step; waits for the step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RpcException">The step is past.</exception>
    /// <remarks>They may change while they are sent: ask <see cref="Holds"/> afterwards.</remarks>
    Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken);

    /// <summary>Whether the state is still the one after a step, so that what has been read of it is of one piece.</summary>
    /// <param name="step">The step.</param>
    bool Holds(long step);
}
