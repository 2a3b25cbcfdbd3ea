using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Kernels.Embeddings;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster;

/// <summary>
/// The coordinator as a parameter server: one more member of every view, without microbatches, that owns all slices. It completes the
/// tree, holds weights and optimizer state, updates, and publishes the updated weights, bucket by bucket.
/// </summary>
internal sealed class ParameterServer : IStateSource, IAsyncDisposable
{
    /// <summary>Its number among the members, where workers count from 1.</summary>
    public const int Member = MembershipState.Coordinator;

    // Of the window that is granted ahead: for each step also a comparison, two evaluations and a snapshot, and the views between them.
    private const int QueueLength = 8 * GrantPace.Most;

    private readonly RunRequest _request;
    private readonly TransportMode _transport;
    private readonly RunToken? _token;
    private readonly ViewDirectory _directory;
    private readonly ChannelWriter<ClusterEvent> _events;
    private readonly WeightUpdater _weights;
    private readonly IReadOnlyList<string> _momentNames;
    private readonly ComputeThread _thread = new();
    private readonly StepGate _completed = new();
    private readonly ViewLifetime _views = new();
    private readonly Channel<(ViewGeneration Generation, Func<Task> Do, bool Ends)> _work = Channel.CreateBounded<(
        ViewGeneration,
        Func<Task>,
        bool
    )>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly Task _working;
    private ViewGeneration _newest; // that work was queued for
    private volatile ExchangeView? _view;
    private long _position;

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
        var settings = request.Settings;
        _momentNames = request.Configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        _weights = new WeightUpdater(settings, team: null);
        _weights.State.Restore(request.Start);
        _completed.Open(request.Start.Step);
        _position = request.Position;
        _working = WorkAsync();
    }

    /// <inheritdoc />
    public ulong Run { get; }

    /// <summary>A view begins.</summary>
    public void Enter(ClusterView view)
    {
        _newest = view.Generation;
        Queue(() => EnterAsync(view));
    }

    /// <summary>Ends all views so far, and tells when they have been left.</summary>
    public void Freeze()
    {
        var generation = _newest;
        _views.End(generation);
        _ = _view?.AbandonAsync(); // the step under way ends
        Queue(() => LeaveAsync(generation), ends: true);
    }

    /// <summary>The run goes back to a state that was saved; the views before have been left.</summary>
    /// <param name="state">The state.</param>
    /// <param name="position">What has been done with it.</param>
    public void GoBackTo(Checkpoint state, long position)
    {
        _weights.GoBackTo(state);
        _position = position;
        _completed.Open(state.Step);
    }

    /// <summary>A piece of work has been granted.</summary>
    /// <param name="work">What.</param>
    /// <param name="microbatches">Of the whole batch.</param>
    /// <param name="samples">Of the whole batch.</param>
    /// <param name="touched">The rows of tables that it touches, where it updates only these; or null.</param>
    public void Granted(PlannedWork work, int microbatches, int samples, TouchedRows? touched) =>
        Queue(
            work.Kind switch
            {
                WorkKind.Train => () => TrainAsync(work, microbatches, samples, touched),
                WorkKind.Evaluate or WorkKind.EvaluateHoldout => () => EvaluateAsync(work, microbatches),
                WorkKind.Compare => () => CompareAsync(work),
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
    public bool Holds(long step) => _completed.IsAt(step);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        _views.EndAll();
        _ = _view?.AbandonAsync(); // the step under way ends
        await _working;
        if (_view is { } view)
            await view.AbandonAsync();
        _thread.Dispose();
        _views.Dispose();
    }

    private void Queue(Func<Task> work, bool ends = false)
    {
        if (!_work.Writer.TryWrite((_newest, work, ends)) && !_working.IsCompleted)
            throw new InvalidOperationException("More work was granted than the window allows.");
    }

    // What belongs to a view that is over is passed over; one that has failed waits for its end.
    private async Task WorkAsync()
    {
        ViewGeneration? failed = null;
        await foreach (var (generation, work, ends) in _work.Reader.ReadAllAsync())
        {
            if (!ends && (_views.IsOver(generation) || failed is not null))
                continue;
            failed = ends ? null : failed;
            try
            {
                await work();
            }
            catch (Exception) when (_views.IsOver(generation))
            {
                // Its end reaches every wait of it, and its peers end their links.
            }
            catch (Exception exception)
            {
                failed = generation;
                _events.TryWrite(new ServerFailed(generation, exception));
            }
        }
    }

    private async Task LeaveAsync(ViewGeneration generation)
    {
        if (_view is { } view)
            await view.AbandonAsync();
        _view = null;
        _events.TryWrite(new ServerStopped(generation, _position));
    }

    // Closing the view sends a leaving worker its last weights, which it has yet to evaluate.
    private async Task EnterAsync(ClusterView view)
    {
        if (_view is { } previous)
            await previous.DisposeAsync();
        _view = null;
        if (!_views.TryBegin(view.Generation))
            return;
        var names = view.Workers.Select(worker => $"worker {worker}").Append(MemberRegistry.CoordinatorName).ToList();
        var identity = new ViewIdentity(Run, view.Generation, view.Workers.Count, names);
        var (configuration, layout) = (_request.Configuration, _request.Network.Layout);
        var plans = new ReductionPlans(view.Shares, Buckets.Of(layout, owners: 1), SliceOwners.ParameterServer);
        var microbatches = (configuration.Options.BatchSize + configuration.Microbatch - 1) / configuration.Microbatch;
        var settings = new ExchangeSettings(plans, layout.Length, microbatches, Threads: 1, _transport);
        // Workers dial their server, so that their addresses are not needed.
        _view = await ExchangeView.OpenAsync(identity, [.. names.Select(_ => "")], settings, _token, _directory, _views.Stopping);
    }

    private async Task TrainAsync(PlannedWork work, int microbatches, int samples, TouchedRows? touched)
    {
        var view = _view ?? throw new InvalidOperationException("A step came before the first view.");
        await _thread.RunAsync(() =>
            view.RunStep(() =>
            {
                _weights.Begin(samples, touched);
                ReductionPlan? plan = null;
                var update = new Update(_weights, () => Complete(work, StepRecord.Complete(view.Exchange, plan!)));
                plan = view.Exchange.BeginAsServer(work.Step, microbatches, update, touched?.Start ?? 0, view.Stopping);
                view.Exchange.Complete();
            })
        );
    }

    private async Task EvaluateAsync(PlannedWork work, int microbatches)
    {
        var view = _view ?? throw new InvalidOperationException("An evaluation came before the first view.");
        var record = default(StepRecord);
        await _thread.RunAsync(() =>
            view.RunStep(() =>
            {
                var plan = view.Exchange.BeginEvaluation(work.Position, microbatches, view.Stopping);
                view.Exchange.Complete();
                record = StepRecord.Complete(view.Exchange, plan);
            })
        );
        Complete(work, record);
    }

    private void Complete(PlannedWork work, in StepRecord record)
    {
        _position = work.Position;
        _completed.Open(work.Step);
        _events.TryWrite(new ServerCompleted(work, record.ToBytes()));
    }

    // State, position and record change together: the view may end right after.
    private sealed class Update(IParameterUpdate weights, Action completed) : IParameterUpdate
    {
        public bool NeedsWholeGradient => weights.NeedsWholeGradient;

        void IParameterUpdate.Update(int offset, Span<float> values) => weights.Update(offset, values);

        public void Complete()
        {
            weights.Complete();
            completed();
        }
    }

    // Workers hold the weights alone.
    private Task CompareAsync(PlannedWork work)
    {
        _events.TryWrite(new ServerCompleted(work, HashOfWeights()));
        return Task.CompletedTask;
    }

    private ByteString HashOfWeights() => UnsafeByteOperations.UnsafeWrap(StateHash.Of([_weights.State.Weights.Memory]));

    private Task SnapshotAsync()
    {
        // The next step overwrites it.
        _events.TryWrite(new SnapshotArrived(_weights.State.ToCheckpoint(_momentNames).Copy(), HashOfWeights()));
        return Task.CompletedTask;
    }
}

/// <summary>The newest state that the coordinator has, for workers that need one where they own the slices.</summary>
/// <param name="run">The run's identity.</param>
/// <param name="start">The state that the run begins with.</param>
internal sealed class SavedState(ulong run, Checkpoint start) : IStateSource
{
    private volatile Checkpoint _state = start;

    /// <inheritdoc />
    public ulong Run => run;

    /// <summary>The run goes back to a state.</summary>
    public void GoBackTo(Checkpoint state) => _state = state;

    /// <inheritdoc />
    public bool Holds(long step) => _state.Step == step;

    /// <inheritdoc />
    public Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken) =>
        _state is var state && step == state.Step
            ? Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([state.Weights, .. state.Moments.Select(moment => moment.Values)])
            : throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"the coordinator has the state after step {_state.Step}, not the one after step {step}"
                )
            );
}
