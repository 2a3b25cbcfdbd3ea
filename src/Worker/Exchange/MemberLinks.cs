using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Computing;
using Distributed.Worker.Sessions;

namespace Distributed.Worker.Exchange;

/// <summary>Reaches the other members of the current view, and the coordinator's tensors.</summary>
/// <param name="run">The run.</param>
/// <param name="coordinator">The coordinator's address.</param>
/// <param name="token">The run's token.</param>
/// <param name="directory">Lets peers find the view.</param>
internal sealed class MemberLinks(RunContext run, string coordinator, RunToken? token, ViewDirectory directory) : IAsyncDisposable
{
    private readonly Connection _coordinator = new(coordinator, token);
    private readonly PrivateMemory _memory = new(run.Settings.Network.Layout.Length);
    private ViewLinks? _links;

    /// <summary>The coordinator's tensors.</summary>
    public TensorClient CoordinatorTensors => new(_coordinator.Calls);

    /// <summary>Leaves the view before and reaches every member of a new one.</summary>
    /// <returns>What its steps exchange by.</returns>
    /// <exception cref="PeerFailureException">A member cannot be reached.</exception>
    public async Task<IStepExchange> EnterAsync(EnterView enter, ReductionPlans plans, WeightUpdater weights, CancellationToken cancellationToken)
    {
        await LeaveAsync();
        var names = enter.View.Members.Select(member => $"worker {member.Worker}").ToList();
        var identity = new ExchangeIdentity(run.Run, enter.Generation, enter.View.Rank, names);
        return run.Exchange == ExchangeMode.Peers
            ? new PeerStep(await ReachPeersAsync(identity, plans, enter.View, cancellationToken), _memory, weights)
            : new CoordinatorStep(await ReachCoordinatorAsync(identity, plans, cancellationToken), _memory, weights);
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
            var step = await StateTransfer.ReceiveAsync(call.ResponseStream, header.Run, [state.Weights.Memory, .. state.Moments.Select(moment => moment.Memory)], cancellationToken);
            if (step != header.Step)
                throw new InvalidDataException($"the state after step {step} came instead of the one after step {header.Step}");
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or InvalidDataException)
        {
            throw new PeerFailureException(source.Length == 0 ? "the coordinator" : source, header.Step, Phase.StateTransfer, WireErrors.Cause(exception), exception);
        }
    }

    /// <summary>Sends what is still queued and leaves the view.</summary>
    public async Task LeaveAsync()
    {
        if (_links is { } links)
            await links.DisposeAsync();
        _links = null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        _memory.Dispose();
        _coordinator.Dispose();
    }

    private async Task<PeerReduction> ReachPeersAsync(ExchangeIdentity identity, ReductionPlans plans, View view, CancellationToken cancellationToken)
    {
        var reduction = new PeerReduction(identity, plans, _memory);
        _links = new ViewLinks(identity, reduction, expected: view.Members.Count - 1);
        directory.Enter(_links);
        for (var peer = 0; peer < identity.Rank; peer++)
            await DialAsync(_links, peer, identity.Workers[peer], view.Members[peer].Address);
        await _links.OpenedAsync(cancellationToken);
        return reduction;
    }

    private async Task<CoordinatorExchange> ReachCoordinatorAsync(ExchangeIdentity identity, ReductionPlans plans, CancellationToken cancellationToken)
    {
        var exchange = new CoordinatorExchange(identity, plans, _memory);
        _links = new ViewLinks(identity, exchange, expected: 1);
        await DialAsync(_links, 0, "the coordinator", coordinator);
        await _links.OpenedAsync(cancellationToken);
        return exchange;
    }

    private async Task DialAsync(ViewLinks links, int peer, string name, string address)
    {
        try
        {
            await links.DialAsync(peer, address, token);
        }
        catch (Grpc.Core.RpcException exception)
        {
            throw new PeerFailureException(name, 0, Phase.StateTransfer, $"{address} cannot be reached: {WireErrors.Cause(exception)}", exception);
        }
    }
}
