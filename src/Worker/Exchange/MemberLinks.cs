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

    /// <summary>The current view, or null.</summary>
    public ExchangeView? View { get; private set; }

    /// <summary>The coordinator's tensors.</summary>
    public Tensors.TensorsClient CoordinatorTensors => new(_coordinator.Calls);

    /// <summary>Leaves the view before and reaches every peer of a new one.</summary>
    /// <exception cref="PeerFailureException">A peer cannot be reached.</exception>
    /// <exception cref="InputException">The run wants one transport alone, and there is a peer that cannot be reached by it.</exception>
    public async Task<ExchangeView> EnterAsync(EnterView enter, ReductionPlans plans, CancellationToken cancellationToken)
    {
        await LeaveAsync(cancellationToken);
        List<string> names = [.. enter.View.Members.Select(member => $"worker {member.Worker}")];
        List<string> addresses = [.. enter.View.Members.Select(member => member.Address)];
        if (run.Exchange == ExchangeMode.Coordinator)
        {
            names.Add("the coordinator");
            addresses.Add(coordinator);
        }

        var identity = new ViewIdentity(run.Run, enter.Generation, enter.View.Rank, names);
        var settings = new ExchangeSettings(plans, run.Settings.Network.Layout.Length, run.Microbatches, threads, run.Transport);
        return View = await ExchangeView.OpenAsync(identity, addresses, settings, token, directory, cancellationToken);
    }

    /// <summary>Fetches the state after the step before the view's first.</summary>
    /// <param name="view">Names a member that has it.</param>
    /// <param name="request">Names run, generation and step.</param>
    /// <param name="state">Receives it.</param>
    /// <param name="received">Called for every piece of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">It cannot be had.</exception>
    public async Task FetchStateAsync(
        View view,
        TensorFrame request,
        TrainingState state,
        Action received,
        CancellationToken cancellationToken
    )
    {
        var source = view.StateSource;
        try
        {
            using var peer = source.Length == 0 ? null : new Connection(source, token);
            var client = peer is null ? CoordinatorTensors : new Tensors.TensorsClient(peer.Calls);
            using var call = client.FetchState(request, cancellationToken: cancellationToken);
            var step = await StateTransfer.ReceiveAsync(
                new CountedReader(call.ResponseStream, received),
                request.Run,
                [state.Weights.Memory, .. state.Moments.Select(moment => moment.Memory)],
                cancellationToken
            );
            if (step != (long)request.Step)
                throw new InvalidDataException($"the state after step {step} came instead of the one after step {request.Step}");
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or InvalidDataException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new PeerFailureException(
                NameOfSource(view),
                (long)request.Step,
                Phase.StateTransfer,
                WireErrors.Cause(exception),
                exception
            );
        }
    }

    /// <summary>The name of the member that a view's state is fetched from.</summary>
    public static string NameOfSource(View view) =>
        view.StateSource.Length == 0
            ? "the coordinator"
            : $"worker {view.Members.FirstOrDefault(member => member.Address == view.StateSource)?.Worker}";

    /// <summary>Sends what is still queued and leaves the view.</summary>
    /// <param name="cancellationToken">Leaves at once.</param>
    public async Task LeaveAsync(CancellationToken cancellationToken = default)
    {
        await using var ending = cancellationToken.UnsafeRegister(static view => _ = ((ExchangeView?)view)?.AbandonAsync(), View);
        if (View is { } view)
            await view.DisposeAsync();
        View = null;
    }

    /// <summary>Leaves the view at any point; when this returns, nothing of it touches memory any more.</summary>
    public async Task AbandonAsync()
    {
        if (View is { } view)
            await view.AbandonAsync();
        View = null;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        _coordinator.Dispose();
    }
}
