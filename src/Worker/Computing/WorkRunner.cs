using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Kernels.Threads;
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
    // More than a coordinator grants ahead, and so more than one that dies can have left unrecorded.
    private const int MostRemembered = 1024;

    private readonly RunContext _run;
    private readonly MemberLinks _members;
    private readonly SnapshotSender _snapshots;
    private readonly WorkLog _log;
    private readonly FailurePoint? _failure;
    private readonly ReportBatch _reports;
    private readonly ComputeThread _thread = new();
    private readonly Replica _replica;
    private readonly StepGate _completed = new();
    private ExchangeView? _view;
    private TrainingStep? _step;
    private ViewGeneration _generation;
    private int _rank;
    private readonly Queue<StepReport> _last = new(); // with the records, for a coordinator that comes back without them
    private bool _holdsState;
    private volatile bool _isOpen; // the view, with the state that it begins with
    private long _position; // what has been completed
    private uint _lineage; // of the state
    private volatile Phase _phase = Phase.Idle;
    private volatile string _opening = ""; // who is waited for where a view is opened

    /// <summary>Builds the replica.</summary>
    /// <param name="run">The run.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="members">Reaches the other members.</param>
    /// <param name="log">Where it is logged.</param>
    /// <param name="failure">Where this process is to fail, in tests.</param>
    public WorkRunner(RunContext run, int threads, MemberLinks members, WorkLog log, FailurePoint? failure = null)
    {
        _log = log;
        _failure = failure;
        _run = run;
        _members = members;
        _reports = new ReportBatch(TimeProvider.System, reports => Post(Message(message => message.Reports = reports)));
        _snapshots = new SnapshotSender(
            members.CoordinatorTensors,
            ReportLostSnapshot,
            sharesMemory: run.Transport is TransportMode.Auto or TransportMode.Shm,
            Progress
        );
        _replica = new Replica(run.Settings, threads, holdsMoments: run.Exchange == ExchangeMode.Peers, Progress);
    }

    /// <inheritdoc />
    public ulong Run => _run.Run;

    /// <summary>The last view that this worker has entered; null before the first.</summary>
    public EnterView? LastView { get; private set; }

    /// <summary>What this worker holds, as it tells other workers.</summary>
    public HeldState Held =>
        new()
        {
            Run = _run.Run,
            Lineage = _lineage,
            Position = HoldsWholeState ? (ulong)Volatile.Read(ref _position) : 0,
            Epoch = LastView?.Generation.Epoch ?? 0,
            Worker = LastView is { View: var view } ? view.Members[view.Rank].Worker : _run.Worker,
        };

    /// <summary>Sends a message to the coordinator; set for each session.</summary>
    public Action<WorkerMessage> Post { get; set; } = _ => { };

    /// <summary>The step under way, or the last one.</summary>
    public long Step { get; private set; }

    /// <summary>What this worker is doing.</summary>
    public Phase Phase => _phase == Phase.ForwardBackward ? _view?.Exchange.Phase ?? _phase : _phase;

    /// <summary>Who this worker waits for in the midst of what it is doing; empty where it works by itself, or has nothing to do.</summary>
    public string WaitsFor =>
        _phase switch
        {
            Phase.StateTransfer => _opening,
            Phase.ForwardBackward or Phase.Evaluation => _view?.Exchange.WaitsFor ?? "",
            _ => "",
        };

    /// <summary>Whether it is in a view.</summary>
    public bool HasView => _isOpen;

    /// <summary>Rises as long as something goes on in this worker.</summary>
    public ProgressCounter Progress { get; } = new();

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
    /// <param name="views">Ends the work with its view.</param>
    /// <exception cref="PeerFailureException">Another member was lost.</exception>
    /// <exception cref="NonFiniteLossException">The training has diverged.</exception>
    public async Task RunAsync(WorkItem item, ChannelReader<WorkItem> following, ViewLifetime views)
    {
        if (item is not (Compute or CompareStates))
            SendReports();
        switch (item)
        {
            case EnterView enter when views.TryBegin(enter.Generation):
                await EnterAsync(enter, views.Stopping);
                break;
            case Compute compute:
                await ComputeAsync(compute, following, views.Stopping);
                break;
            case CompareStates compare:
                await CompareAsync(compare.Step, following.Count);
                break;
            case SendSnapshot:
                _phase = Phase.Snapshot;
                _failure?.Reach(FailurePoint.Snapshot, Step);
                await _snapshots.TakeAsync(_replica.Weights.State, Header(), views.Stopping);
                break;
            case LeaveViews leave:
                await LeaveAsync(leave.Generation);
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
        _failure?.Reach(FailurePoint.Serve, step);
        return State();
    }

    /// <inheritdoc />
    public bool Holds(long step) => _completed.IsAt(step);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _thread.Dispose();
        await _snapshots.DisposeAsync();
        await _members.DisposeAsync();
        _replica.Dispose();
    }

    private async Task EnterAsync(EnterView enter, CancellationToken cancellationToken)
    {
        var first = checked((long)enter.View.FirstStep);
        _opening = "the others"; // which may first do much that they were granted
        _phase = Phase.StateTransfer;
        LastView = enter;
        _generation = enter.Generation;
        _rank = enter.View.Rank;
        var owners = _run.Exchange == ExchangeMode.Coordinator ? SliceOwners.ParameterServer : SliceOwners.Workers;
        var shares = enter.View.Members.Select(member => checked((int)member.Share)).ToList();
        var buckets = Buckets.Of(_run.Settings.Network.Layout, owners == SliceOwners.Workers ? shares.Count : 1);
        Step = first - 1;
        _isOpen = false;
        _view = await _members.EnterAsync(enter, new ReductionPlans(shares, buckets, owners), cancellationToken);
        _step = new TrainingStep(_replica, _view.Exchange, _view.Memory, _rank);
        _step.Timeline.KeepsSpans = _run.KeepsTrace;
        _view.Exchange.Counter = Progress;
        Progress.Advance();
        _opening = "";
        if (_failure is not null)
            _view.Exchange.Reached = point => _failure.Pass(point, Step);
        if (enter.View.FetchState)
            await FetchAsync(enter.View, cancellationToken);
        else if (!_holdsState || _replica.Weights.State.Step != Step)
            throw new InvalidDataException($"the view begins after step {Step}, whose state this worker does not hold");

        if (_lineage != enter.View.Lineage)
            _last.Clear(); // may be wrong, and is done again
        _lineage = enter.View.Lineage;
        _isOpen = true;
        _reports.SendNext();
        var ways = _view.Ways;
        _log.Opened(_generation, ways);
        Post(
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

    // Into the spare state: what this worker held before still counts if the transfer ends half-way.
    private async Task FetchAsync(View view, CancellationToken cancellationToken)
    {
        _failure?.Reach(FailurePoint.Fetch, Step);
        _opening = MemberLinks.NamesOfSources(view); // until it begins to send
        await _members.FetchStateAsync(view, _replica.Weights.OverwriteSpare(), Received, cancellationToken);
        _replica.Weights.Restore(Step);
        _holdsState = true;
        _position = checked((long)view.Position);
        _completed.Open(Step);
        _log.Fetched(Step, MemberLinks.NamesOfSources(view));
    }

    private void Received()
    {
        Progress.Advance();
        _opening = "";
    }

    /// <summary>Leaves the view, at any point: the session has ended. What has been completed is kept.</summary>
    public async Task LetGoAsync()
    {
        await _members.AbandonAsync();
        _log.Left(_generation, _position);
        (_view, _step, _isOpen) = (null, null, false);
        _reports.Clear(); // of steps that the session's coordinator granted
        Step = _replica.Weights.State.Step;
        _phase = Phase.Idle;
    }

    /// <summary>The state with the records of the last steps; null if this worker holds none. Shares its memory; not in a view.</summary>
    /// <param name="momentNames">The names of the optimizer's moments.</param>
    public Checkpoint? StateToLeave(IReadOnlyList<string> momentNames) =>
        HoldsWholeState
            ? _replica.Weights.State.ToCheckpoint(momentNames) with
            {
                Records = new StepReports { Reports = { _last } }.ToByteArray(),
                Lineage = _lineage,
            }
            : null;

    // A parameter server keeps the moments to itself.
    private bool HoldsWholeState => _holdsState && _run.Exchange == ExchangeMode.Peers;

    /// <summary>Says that this worker can be a member, and what it has brought along from an earlier session.</summary>
    public void SayReady()
    {
        var ready = new Ready { HoldsDataset = _run.Dataset is not null };
        if (HoldsWholeState)
        {
            (ready.HoldsState, ready.Position, ready.Lineage) = (true, (ulong)_position, _lineage);
            ready.Members = LastView?.View.Members.Count ?? 0;
            ready.Completed.AddRange(_last);
        }

        Post(Message(message => message.Ready = ready));
    }

    private async Task LeaveAsync(ViewGeneration generation)
    {
        await LetGoAsync();
        _generation = generation;
        Post(Message(message => message.Frozen = new Frozen { Position = (ulong)_position, HoldsState = _holdsState }));
    }

    private async Task ComputeAsync(Compute first, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
        await using var ending = cancellationToken.UnsafeRegister(static view => _ = ((ExchangeView)view!).AbandonAsync(), _view);
        await _thread.RunAsync(() => ComputeAll(first, following, cancellationToken));
    }

    private void ComputeAll(Compute first, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
        for (var work = first; work is not null; work = NextOf(following))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _reports.Add(Execute(work), following.Count);
        }
    }

    private static Compute? NextOf(ChannelReader<WorkItem> following) =>
        following.TryPeek(out var next) && next is Compute && following.TryRead(out next) ? (Compute)next : null;

    // The record lies in the view's memory, so that it is read before the view can end.
    private StepReport Execute(Compute work)
    {
        var (view, step) = (_view!, _step!);
        StepReport? report = null;
        if (work.Work == Work.Train)
            Step = work.Step;
        _phase = work.Work == Work.Train ? Phase.ForwardBackward : Phase.Evaluation;
        _log.Begins(work.Work, work.Step);
        view.RunStep(() =>
        {
            var plan =
                work.Work == Work.Train
                    ? step.Train(work.Step, work.Batch, view.Stopping)
                    : step.Evaluate(work.Step, work.Part, work.Batch, view.Stopping);
            _position = work.Work == Work.Train ? Positions.After(work.Step) : TrainingStep.PositionAfter(work.Step, work.Part);
            report = Report(work, plan);
        });
        _log.Done(work.Work, work.Step, step.Timeline);
        if (work.Work == Work.Train)
            _completed.Open(work.Step);
        _failure?.Corrupt(work.Step, _replica.Weights.State.Weights.Span);
        Remember(report!);
        return report!;
    }

    // On the compute thread, which alone changes the state.
    private async Task CompareAsync(long step, int queued)
    {
        if (step != _replica.Weights.State.Step)
            throw new InvalidDataException($"the state after step {step} is asked for after step {_replica.Weights.State.Step}");
        await _thread.RunAsync(() =>
            _reports.Add(
                new StepReport
                {
                    Work = Work.Compare,
                    Step = (ulong)step,
                    StateHash = UnsafeByteOperations.UnsafeWrap(StateHash.Of(State())),
                },
                queued
            )
        );
    }

    private IReadOnlyList<ReadOnlyMemory<float>> State() =>
        [_replica.Weights.State.Weights.Memory, .. _replica.Weights.State.Moments.Select(moment => (ReadOnlyMemory<float>)moment.Memory)];

    private void Remember(StepReport report)
    {
        if (report.Record.IsEmpty)
            return;
        _last.Enqueue(report);
        if (_last.Count > MostRemembered)
            _last.Dequeue();
    }

    private async Task StopAsync(Stop stop)
    {
        await _snapshots.FlushAsync();
        await _members.LeaveAsync();
        if (!stop.Complete || !_isOpen)
            return; // a newcomer may not have received the state any more
        var hash = Convert.FromHexString(WeightsHash.Compute(_replica.Weights.State.Weights.Span));
        Post(Message(message => message.Finished = new Finished { WeightsSha256 = Google.Protobuf.ByteString.CopyFrom(hash) }));
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
        {
            report.ComputeMicroseconds = (ulong)_step!.ComputeTime.TotalMicroseconds;
            report.ExchangeMicroseconds = (ulong)_step.ExchangeTime.TotalMicroseconds;
        }

        if (_run.KeepsTrace)
        {
            report.BeganMicroseconds = LocalClock.Microseconds(_step!.Timeline.Began);
            report.Spans.AddRange(_step.Timeline.Spans);
        }

        if (work.Work == Work.Train && _run.KeepsLedger)
            report.Samples = ByteString.CopyFrom(MemoryMarshal.AsBytes(_replica.Decoded));
        if (plan.IsOwner(_rank))
            report.Record = StepRecord.Complete(_view!.Exchange, plan).ToBytes();
        return report;
    }

    private void ReportLostSnapshot(long step, Exception exception)
    {
        var message = Message(message => message.SnapshotLost = new SnapshotLost { Reason = WireErrors.Cause(exception) });
        message.Step = (ulong)step;
        Post(message);
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
