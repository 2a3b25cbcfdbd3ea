using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Distributed.Training;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster;

/// <summary>
/// The coordinator as a parameter server: one more member of every view, without microbatches, that owns all slices. It completes the
/// tree, holds weights and optimizer state, updates, and publishes the updated weights, bucket by bucket.
/// </summary>
internal sealed class ParameterServer : IStateSource, IAsyncDisposable
{
    /// <summary>Its number among the members, where workers count from 1.</summary>
    public const int Member = 0;

    // Views, steps and snapshots of the window that is granted ahead: a step and a snapshot for each grant, and the views between them.
    private const int QueueLength = 4 * GrantPace.Most;

    private readonly RunRequest _request;
    private readonly TransportMode _transport;
    private readonly RunToken? _token;
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
    private ExchangeView? _view;

    /// <summary>Takes over the state that the run begins with.</summary>
    /// <param name="request">The run.</param>
    /// <param name="run">The run's identity.</param>
    /// <param name="token">The run's token, or null in an insecure run.</param>
    /// <param name="directory">Lets workers find the view.</param>
    /// <param name="events">Learns of completed steps, snapshots and failures.</param>
    public ParameterServer(RunRequest request, ulong run, RunToken? token, ViewDirectory directory, ChannelWriter<ClusterEvent> events)
    {
        _request = request;
        _transport = WelcomeSettings.Mode(request.Cluster.Transport);
        _token = token;
        _directory = directory;
        _events = events;
        Run = run;
        var settings = TrainingSettings.Of(request.Configuration, request.Network);
        _momentNames = request.Configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        _weights = new WeightUpdater(settings, team: null);
        _weights.State.Restore(request.Start);
        _completed.Open(request.Start.Step);
        _working = WorkAsync();
    }

    /// <inheritdoc />
    public ulong Run { get; }

    /// <summary>A view begins.</summary>
    public void Enter(ClusterView view) => Queue(() => EnterAsync(view));

    /// <summary>A piece of work has been granted.</summary>
    /// <param name="work">What.</param>
    /// <param name="microbatches">Of the whole batch.</param>
    /// <param name="samples">Of the whole batch.</param>
    public void Granted(PlannedWork work, int microbatches, int samples) =>
        Queue(
            work.Kind switch
            {
                WorkKind.Train => () => TrainAsync(work, microbatches, samples),
                WorkKind.Evaluate => () => EvaluateAsync(work, microbatches),
                _ => SnapshotAsync,
            }
        );

    /// <inheritdoc />
    public async Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken)
    {
        // The state does not change while it is sent: the next step cannot complete without the requester.
        if (!await _completed.WaitAsync(step, cancellationToken))
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the state after step {step} is past"));
        return [_weights.State.Weights.Memory];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _ending.CancelAsync();
        if (_view is { } view && !_working.IsCompleted)
            await view.AbandonAsync();
        await _working;
        if (_view is not null)
            await _view.DisposeAsync();
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
        catch (Exception exception)
        {
            _events.TryWrite(new ServerFailed(exception));
        }
    }

    // Closing the view sends a leaving worker its last weights, which it has yet to evaluate.
    private async Task EnterAsync(ClusterView view)
    {
        if (_view is not null)
            await _view.DisposeAsync();
        _view = null;
        var names = view.Workers.Select(worker => $"worker {worker}").Append("the coordinator").ToList();
        var identity = new ViewIdentity(Run, view.Generation, view.Workers.Count, names);
        var (configuration, layout) = (_request.Configuration, _request.Network.Layout);
        var plans = new ReductionPlans(view.Shares, Buckets.Of(layout, owners: 1), SliceOwners.ParameterServer);
        var microbatches = (configuration.Options.BatchSize + configuration.Microbatch - 1) / configuration.Microbatch;
        var settings = new ExchangeSettings(plans, layout.Length, microbatches, Threads: 1, _transport);
        // Workers dial their server, so that their addresses are not needed.
        _view = await ExchangeView.OpenAsync(identity, [.. names.Select(_ => "")], settings, _token, _directory, _ending.Token);
    }

    private async Task TrainAsync(PlannedWork work, int microbatches, int samples)
    {
        var view = _view ?? throw new InvalidOperationException("A step came before the first view.");
        var record = default(StepRecord);
        await _thread.RunAsync(() =>
            view.RunStep(() =>
            {
                _weights.Begin(samples);
                var plan = view.Exchange.BeginAsServer(work.Step, microbatches, _weights, view.Stopping);
                view.Exchange.Complete();
                record = StepRecord.Complete(view.Exchange, plan);
            })
        );
        _completed.Open(work.Step);
        _events.TryWrite(new ServerCompleted(work, record));
    }

    private async Task EvaluateAsync(PlannedWork work, int microbatches)
    {
        var view = _view ?? throw new InvalidOperationException("An evaluation came before the first view.");
        var record = default(StepRecord);
        await _thread.RunAsync(() =>
            view.RunStep(() =>
            {
                var plan = view.Exchange.BeginEvaluation(work.Step, microbatches, view.Stopping);
                view.Exchange.Complete();
                record = StepRecord.Complete(view.Exchange, plan);
            })
        );
        _events.TryWrite(new ServerCompleted(work, record));
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

/// <summary>The state that a run begins with, for the workers of its first view where they own the slices.</summary>
/// <param name="run">The run's identity.</param>
/// <param name="start">That state.</param>
internal sealed class StartState(ulong run, Checkpoints.Checkpoint start) : IStateSource
{
    /// <inheritdoc />
    public ulong Run => run;

    /// <inheritdoc />
    public Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken) =>
        step == start.Step
            ? Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([start.Weights, .. start.Moments.Select(moment => moment.Values)])
            : throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"the coordinator has the state after step {start.Step}, not the one after step {step}"
                )
            );
}
