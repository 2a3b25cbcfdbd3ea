using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Training;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Reduction;

/// <summary>
/// The coordinator owns the reduction: it completes the tree over the whole gradient, holds the optimizer, updates, and
/// broadcasts the weights.
/// </summary>
internal sealed class CoordinatorOwns : IReductionOwner, IStateSource
{
    // Views, steps and snapshots of the window that is granted ahead.
    private const int QueueLength = 4 * GrantPace.Most; // a step and a snapshot for each grant, and the views between them

    private readonly RunRequest _request;
    private readonly ViewDirectory _directory;
    private readonly ChannelWriter<ClusterEvent> _events;
    private readonly WeightUpdater _weights;
    private readonly IReadOnlyList<string> _momentNames;
    private readonly ComputeThread _thread = new();
    private readonly StepGate _completed = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Channel<Func<Task>> _work = Channel.CreateBounded<Func<Task>>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true }
    );
    private readonly Task _working;
    private OwnerExchange? _exchange;
    private ViewLinks? _links;

    /// <summary>Takes over the state that the run begins with.</summary>
    /// <param name="request">The run.</param>
    /// <param name="run">The run's identity.</param>
    /// <param name="directory">Lets workers find the view.</param>
    /// <param name="events">Learns of snapshots and failures.</param>
    public CoordinatorOwns(RunRequest request, ulong run, ViewDirectory directory, ChannelWriter<ClusterEvent> events)
    {
        _request = request;
        Run = run;
        _directory = directory;
        _events = events;
        _momentNames = request.Configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        _weights = new WeightUpdater(TrainingSettings.Of(request.Configuration, request.Network), team: null);
        _weights.State.Restore(request.Start);
        _completed.Open(request.Start.Step);
        _working = WorkAsync();
    }

    /// <inheritdoc />
    public ulong Run { get; }

    /// <inheritdoc />
    public bool HoldsState => true;

    /// <inheritdoc />
    public void Enter(ClusterView view) => Queue(() => EnterAsync(view));

    /// <inheritdoc />
    public void Granted(PlannedWork work, int microbatches, int samples)
    {
        if (work.Kind == WorkKind.Train)
            Queue(() => TrainAsync(work.Step, microbatches, samples));
        else if (work.Kind == WorkKind.Snapshot)
            Queue(SnapshotAsync);
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken)
    {
        // The state stays as it is while it is sent: the next step cannot complete without the one who asks.
        if (!await _completed.WaitAsync(step, cancellationToken))
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the state after step {step} is past"));
        return [_weights.State.Weights.Memory];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _ending.CancelAsync();
        await _working;
        if (_links is not null)
            await _links.DisposeAsync();
        _thread.Dispose();
        _ending.Dispose();
    }

    private void Queue(Func<Task> work)
    {
        if (!_work.Writer.TryWrite(work) && !_ending.IsCancellationRequested)
            throw new InvalidOperationException("More work was granted than the window allows.");
    }

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var work in _work.Reader.ReadAllAsync(_ending.Token))
                await work();
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The run ends; what is left of the queue is not wanted.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _events.TryWrite(new OwnerFailed(exception));
        }
    }

    private async Task EnterAsync(ClusterView view)
    {
        if (_links is not null)
            await LeaveAsync(_links);
        var names = view.Workers.Select(worker => $"worker {worker}").ToList();
        var identity = new ExchangeIdentity(Run, view.Generation, view.Workers.Count, names);
        _exchange = new OwnerExchange(identity, new ReductionPlans(view.Shares, []), _request.Network.Layout.Length);
        _links = new ViewLinks(identity, _exchange, expected: view.Workers.Count);
        _directory.Enter(_links);
        await _links.OpenedAsync(_ending.Token);
    }

    // A worker that leaves the run takes no part in the next steps, which overwrite the weights that may still be on their way to
    // it, and that it has yet to evaluate.
    private async Task LeaveAsync(ViewLinks links)
    {
        await links.DrainAsync(_ending.Token);
        await links.DisposeAsync();
    }

    private async Task TrainAsync(long step, int microbatches, int samples)
    {
        var exchange = _exchange ?? throw new InvalidOperationException("A step came before the first view.");
        await _thread.RunAsync(() =>
        {
            exchange.Begin(step, microbatches);
            var gradient = exchange.Reduce(_ending.Token);
            _weights.Update(samples, gradient);
            exchange.Broadcast(_weights.State.Weights.Memory);
        });
        _completed.Open(step);
    }

    private Task SnapshotAsync()
    {
        // The writer of checkpoints copies it before the next event is handled, but the next step may be quicker.
        var state = _weights.State.ToCheckpoint(_momentNames);
        _events.TryWrite(
            new SnapshotArrived(
                new(
                    state.Step,
                    state.Weights.ToArray(),
                    [.. state.Moments.Select(moment => (moment.Name, (ReadOnlyMemory<float>)moment.Values.ToArray()))]
                )
            )
        );
        return Task.CompletedTask;
    }
}
