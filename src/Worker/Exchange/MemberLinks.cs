using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Computing;
using Distributed.Worker.Sessions;

namespace Distributed.Worker.Exchange;

/// <summary>Reaches the other members of the current view, and the coordinator's tensors.</summary>
/// <param name="run">The run.</param>
/// <param name="threads">Threads that compute in this process.</param>
/// <param name="coordinator">The coordinator's address.</param>
/// <param name="token">The run's token.</param>
/// <param name="directory">Lets peers find the view.</param>
internal sealed class MemberLinks(RunContext run, int threads, string coordinator, RunToken? token, ViewDirectory directory)
    : IAsyncDisposable
{
    private readonly Connection _coordinator = new(coordinator, token);
    private IAsyncDisposable? _view;

    /// <summary>The coordinator's tensors.</summary>
    public TensorClient CoordinatorTensors => new(_coordinator.Calls);

    /// <summary>How the current view's members are reached.</summary>
    public ViewOpened Reached { get; private set; } = new();

    /// <summary>Leaves the view before and reaches every member of a new one.</summary>
    /// <returns>What its steps exchange by.</returns>
    /// <exception cref="PeerFailureException">A member cannot be reached.</exception>
    /// <exception cref="InputException">The run wants shared memory alone, and there is a member without it.</exception>
    public async Task<IStepExchange> EnterAsync(
        EnterView enter,
        ReductionPlans plans,
        WeightUpdater weights,
        CancellationToken cancellationToken
    )
    {
        await LeaveAsync();
        var names = enter.View.Members.Select(member => $"worker {member.Worker}").ToList();
        var identity = new ExchangeIdentity(run.Run, enter.Generation, enter.View.Rank, names);
        return run.Exchange == ExchangeMode.Peers
            ? await ReachPeersAsync(identity, plans, enter.View, weights, cancellationToken)
            : await ReachCoordinatorAsync(identity, plans, weights, cancellationToken);
    }

    /// <summary>Fetches the state after the step before the view's first.</summary>
    /// <param name="source">The address of a member that has it; empty for the coordinator.</param>
    /// <param name="header">Names run, generation and step.</param>
    /// <param name="state">Receives it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">It cannot be had.</exception>
    public async Task FetchStateAsync(string source, FrameHeader header, TrainingState state, CancellationToken cancellationToken)
    {
        try
        {
            using var peer = source.Length == 0 ? null : new Connection(source, token);
            var client = peer is null ? CoordinatorTensors : new TensorClient(peer.Calls);
            using var call = client.FetchState(new Frame(header), cancellationToken);
            var step = await StateTransfer.ReceiveAsync(
                call.ResponseStream,
                header.Run,
                [state.Weights.Memory, .. state.Moments.Select(moment => moment.Memory)],
                cancellationToken
            );
            if (step != header.Step)
                throw new InvalidDataException($"the state after step {step} came instead of the one after step {header.Step}");
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or InvalidDataException)
        {
            throw new PeerFailureException(
                source.Length == 0 ? "the coordinator" : source,
                header.Step,
                Phase.StateTransfer,
                WireErrors.Cause(exception),
                exception
            );
        }
    }

    /// <summary>Sends what is still queued and leaves the view.</summary>
    public async Task LeaveAsync()
    {
        if (_view is { } view)
            await view.DisposeAsync();
        _view = null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        _coordinator.Dispose();
    }

    private async Task<IStepExchange> ReachPeersAsync(
        ExchangeIdentity identity,
        ReductionPlans plans,
        View members,
        WeightUpdater weights,
        CancellationToken cancellationToken
    )
    {
        var settings = new PeerViewSettings(plans, run.Settings.Network.Layout.Length, run.Microbatches, threads, run.Transport);
        var view = await PeerView.EnterAsync(
            identity,
            [.. members.Members.Select(member => member.Address)],
            settings,
            token,
            directory,
            cancellationToken
        );
        _view = view;
        Reached = new ViewOpened
        {
            MemoryPeers = view.MemoryPeers,
            FramePeers = identity.Workers.Count - 1 - view.MemoryPeers,
            Refusal = view.Refusal,
        };
        return new PeerStep(view.Exchange, view.Memory, weights);
    }

    private async Task<IStepExchange> ReachCoordinatorAsync(
        ExchangeIdentity identity,
        ReductionPlans plans,
        WeightUpdater weights,
        CancellationToken cancellationToken
    )
    {
        var memory = new PrivateMemory(run.Settings.Network.Layout.Length);
        var exchange = new CoordinatorExchange(identity, plans, memory);
        var links = new ViewLinks(identity, exchange, expected: 1);
        _view = links;
        await links.ReachAsync(0, "the coordinator", coordinator, token);
        await links.OpenedAsync(cancellationToken);
        Reached = new ViewOpened { FramePeers = 1 };
        return new CoordinatorStep(exchange, memory, weights);
    }
}
