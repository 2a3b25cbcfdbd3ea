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

    /// <summary>Fetches the state after the step before the view's first: a stripe from each member that has it.</summary>
    /// <param name="view">Names members that have it.</param>
    /// <param name="state">Receives it.</param>
    /// <param name="received">Called for every piece of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">It cannot be had.</exception>
    public async Task FetchStateAsync(View view, TrainingState state, Action received, CancellationToken cancellationToken)
    {
        List<Memory<float>> vectors = [state.Weights.Memory, .. state.Moments.Select(moment => moment.Memory)];
        var stripes = StateTransfer.Stripes(vectors[0].Length, view.StateSources.Count);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var fetching = Enumerable
            .Range(0, stripes)
            .Select(stripe => FetchStripeAsync(view, vectors, stripe, stripes, received, ending.Token))
            .ToList();
        await foreach (var fetched in Task.WhenEach(fetching))
        {
            if (!fetched.IsCompletedSuccessfully)
                await ending.CancelAsync(); // nothing writes to the state any more when this returns
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (fetching.Find(fetched => fetched.Exception?.InnerException is PeerFailureException) is { } failed)
            await failed;
        await Task.WhenAll(fetching);
    }

    private async Task FetchStripeAsync(
        View view,
        IReadOnlyList<Memory<float>> vectors,
        int stripe,
        int stripes,
        Action received,
        CancellationToken cancellationToken
    )
    {
        var source = view.StateSources.ElementAtOrDefault(stripe);
        var request = new StateRequest
        {
            Run = run.Run,
            Step = view.FirstStep - 1,
            Stripe = stripe,
            Stripes = stripes,
        };
        try
        {
            using var peer = source is null ? null : new Connection(source, token);
            var client = peer is null ? CoordinatorTensors : new Tensors.TensorsClient(peer.Calls);
            using var call = client.FetchState(request, cancellationToken: cancellationToken);
            var (step, _) = await StateTransfer.ReceiveAsync(
                new CountedReader(call.ResponseStream, received),
                request.Run,
                [.. vectors.Select(vector => vector[StateTransfer.Stripe(vector.Length, stripe, stripes)])],
                cancellationToken
            );
            if (step != (long)request.Step)
                throw new InvalidDataException($"the state after step {step} came instead of the one after step {request.Step}");
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or InvalidDataException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new PeerFailureException(
                NameOf(view, source),
                (long)request.Step,
                Phase.StateTransfer,
                WireErrors.Cause(exception),
                exception
            );
        }
    }

    /// <summary>The names of those that a view's state is fetched from.</summary>
    public static string NamesOfSources(View view) =>
        view.StateSources.Count == 0
            ? NameOf(view, source: null)
            : string.Join(", ", view.StateSources.Select(source => NameOf(view, source)));

    private static string NameOf(View view, string? source) =>
        source is null ? "the coordinator" : $"worker {view.Members.FirstOrDefault(member => member.Address == source)?.Worker}";

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
