using System.ComponentModel;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Exchange;
using Distributed.Worker.Sessions;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Worker.Computing;

/// <summary>Executes this worker's work in the order in which it was granted, on the compute thread.</summary>
internal sealed class WorkRunner : IStateSource, IAsyncDisposable
{
    private readonly RunContext _run;
    private readonly MemberLinks _members;
    private readonly Action<WorkerMessage> _post;
    private readonly SnapshotSender _snapshots;
    private readonly ReportBatch _reports;
    private readonly ComputeThread _thread = new();
    private readonly Replica _replica;
    private readonly StepGate _completed = new();
    private ExchangeView? _view;
    private TrainingStep? _step;
    private ViewGeneration _generation;
    private int _rank;
    private volatile Phase _phase = Phase.Idle;

    /// <summary>Builds the replica.</summary>
    /// <param name="run">The run.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="members">Reaches the other members.</param>
    /// <param name="post">Sends a message to the coordinator.</param>
    public WorkRunner(RunContext run, int threads, MemberLinks members, Action<WorkerMessage> post)
    {
        _run = run;
        _members = members;
        _post = post;
        _reports = new ReportBatch(TimeProvider.System, reports => post(Message(message => message.Reports = reports)));
        _snapshots = new SnapshotSender(members.CoordinatorTensors, ReportLostSnapshot);
        _replica = new Replica(run.Settings, threads, holdsMoments: run.Exchange == ExchangeMode.Peers);
    }

    /// <inheritdoc />
    public ulong Run => _run.Run;

    /// <summary>The step under way, or the last one.</summary>
    public long Step { get; private set; }

    /// <summary>What this worker is doing.</summary>
    public Phase Phase => _phase == Phase.ForwardBackward ? _view?.Exchange.Phase ?? _phase : _phase;

    /// <summary>
    /// Pins the compute threads to the given processors, if any; if the system refuses, placement stays with it.
    /// </summary>
    /// <param name="processors">Their numbers.</param>
    public async Task PinAsync(IReadOnlyList<int> processors)
    {
        if (processors.Count == 0)
            return;
        try
        {
            await _thread.RunAsync(() => _replica.Pin(processors));
        }
        catch (Win32Exception exception)
        {
            await StandardStreams.Error.WriteLineAsync(
                $"the compute threads cannot be kept to processors {string.Join(',', processors)}: {exception.Message}"
            );
        }
    }

    /// <summary>
    /// Executes a piece of work and the computations that follow it, without leaving the compute thread between steps.
    /// </summary>
    /// <param name="item">The work.</param>
    /// <param name="following">The work that follows; this call is its only reader.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">Another member was lost.</exception>
    /// <exception cref="NonFiniteLossException">The training has diverged.</exception>
    public async Task RunAsync(WorkItem item, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
        // A peer that is cut off as well would be waited for without end.
        await using var givingUp = cancellationToken.UnsafeRegister(static runner => _ = ((WorkRunner)runner!)._view?.AbandonAsync(), this);
        if (item is not Compute)
            SendReports();
        switch (item)
        {
            case EnterView enter:
                await EnterAsync(enter, cancellationToken);
                break;
            case Compute compute:
                await _thread.RunAsync(() => ComputeAll(compute, following, cancellationToken));
                break;
            case SendSnapshot:
                _phase = Phase.Snapshot;
                await _snapshots.TakeAsync(_replica.Weights.State, Header(), cancellationToken);
                break;
            case Stop stop:
                await StopAsync(stop);
                break;
        }

        _phase = Phase.Idle;
    }

    /// <summary>Reports what has been done and not been reported yet.</summary>
    public void SendReports() => _reports.Send();

    /// <summary>A message about where this worker is.</summary>
    public WorkerMessage Message(Action<WorkerMessage> fill)
    {
        var message = new WorkerMessage
        {
            Run = _run.Run,
            Generation = _generation.ToMessage(),
            Step = (ulong)Step,
        };
        fill(message);
        return message;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken)
    {
        // The state does not change while it is sent: the next step cannot complete without the requester.
        if (!await _completed.WaitAsync(step, cancellationToken))
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"the state after step {step} is past on this worker"));
        return
        [
            _replica.Weights.State.Weights.Memory,
            .. _replica.Weights.State.Moments.Select(moment => (ReadOnlyMemory<float>)moment.Memory),
        ];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _thread.Dispose();
        await _members.DisposeAsync();
        _replica.Dispose();
    }

    private async Task EnterAsync(EnterView enter, CancellationToken cancellationToken)
    {
        var first = checked((long)enter.View.FirstStep);
        _phase = Phase.StateTransfer;
        _generation = enter.Generation;
        _rank = enter.View.Rank;
        var owners = _run.Exchange == ExchangeMode.Coordinator ? SliceOwners.ParameterServer : SliceOwners.Workers;
        var shares = enter.View.Members.Select(member => checked((int)member.Share)).ToList();
        var buckets = Buckets.Of(_run.Settings.Network.Layout, owners == SliceOwners.Workers ? shares.Count : 1);
        Step = first - 1;
        _view = await _members.EnterAsync(enter, new ReductionPlans(shares, buckets, owners), cancellationToken);
        _step = new TrainingStep(_replica, _view.Exchange, _view.Memory, _rank);
        if (enter.View.FetchState)
        {
            await _members.FetchStateAsync(enter.View.StateSource, Header(), _replica.Weights.State, cancellationToken);
            _replica.Weights.State.Step = Step;
            _completed.Open(Step);
        }

        var ways = _view.Ways;
        _post(
            Message(message =>
                message.ViewOpened = new ViewOpened
                {
                    MemoryPeers = ways.Memory,
                    StreamPeers = ways.Streams,
                    CallPeers = ways.Calls,
                    Refusal = ways.Refusal,
                }
            )
        );
    }

    private void ComputeAll(Compute first, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
        for (var work = first; work is not null; work = NextOf(following))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var plan = Execute(work);
            _reports.Add(Report(work, plan), following.Count);
        }
    }

    private static Compute? NextOf(ChannelReader<WorkItem> following) =>
        following.TryPeek(out var next) && next is Compute && following.TryRead(out next) ? (Compute)next : null;

    private ReductionPlan Execute(Compute work)
    {
        var (view, step) = (_view!, _step!);
        ReductionPlan? plan = null;
        if (work.Work == Work.Evaluate)
        {
            _phase = Phase.Evaluation;
            view.RunStep(() => plan = step.Evaluate(work.Step, work.Batch, view.Stopping));
            return plan!;
        }

        Step = work.Step;
        _phase = Phase.ForwardBackward;
        view.RunStep(() => plan = step.Train(work.Step, work.Batch, view.Stopping));
        _completed.Open(Step);
        return plan!;
    }

    private async Task StopAsync(Stop stop)
    {
        await _snapshots.FlushAsync();
        await _members.LeaveAsync();
        if (!stop.Complete)
            return;
        var hash = Convert.FromHexString(WeightsHash.Compute(_replica.Weights.State.Weights.Span));
        _post(Message(message => message.Finished = new Finished { WeightsSha256 = Google.Protobuf.ByteString.CopyFrom(hash) }));
    }

    private StepReport Report(Compute work, ReductionPlan plan)
    {
        var (start, end) = plan.RangeOf(_rank);
        var report = new StepReport
        {
            Work = work.Work,
            Step = (ulong)work.Step,
            Microbatches = (uint)(end - start),
        };
        if (work.Work == Work.Train)
            report.ComputeMicroseconds = (ulong)_step!.ComputeTime.TotalMicroseconds;
        if (plan.IsOwner(_rank))
            report.Record = RecordOf(plan);
        return report;
    }

    private ByteString RecordOf(ReductionPlan plan)
    {
        var bytes = new byte[StepRecord.ByteLength];
        StepRecord.Complete(_view!.Exchange, plan).Write(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private void ReportLostSnapshot(long step, Exception exception)
    {
        var message = Message(message =>
            message.Failure = new Failure { Phase = Phase.Snapshot, Reason = $"it could not be sent: {WireErrors.Cause(exception)}" }
        );
        message.Step = (ulong)step;
        _post(message);
    }

    private TensorFrame Header() =>
        new()
        {
            Run = _run.Run,
            Epoch = _generation.Epoch,
            Number = _generation.Number,
            Step = (ulong)Step,
            Kind = FrameKind.State,
        };
}
