using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A worker that answers at once, and computes nothing.</summary>
internal sealed class FakeWorker : IServerStreamWriter<CoordinatorMessage>
{
    private readonly ControlledRun _run;
    private readonly TaskCompletionSource _dismissed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<int> _probed = Channel.CreateUnbounded<int>();
    private readonly Channel<bool> _taken = Channel.CreateUnbounded<bool>();
    private readonly string _weightsSha256;
    private View? _view;
    private ViewGeneration _generation;
    private long? _position;
    private ulong _progress;

    /// <summary>Joins a run, as the local worker of the same number, and is ready.</summary>
    /// <param name="run">The run.</param>
    /// <param name="number">Its number.</param>
    /// <param name="reports">Whether it reports the steps that it is granted.</param>
    /// <param name="weightsSha256">What it says that its weights are at the end; null for the right ones.</param>
    /// <param name="isLocal">Whether the coordinator has started it.</param>
    /// <param name="localNumber">Its number among the local workers, where it takes the place of another one.</param>
    /// <param name="answersProbes">Whether it says whether it reaches another worker.</param>
    /// <param name="with">Sets what else is special about it, before it joins: afterwards it answers on other threads.</param>
    public FakeWorker(
        ControlledRun run,
        int number,
        bool reports = true,
        string? weightsSha256 = null,
        bool isLocal = true,
        int? localNumber = null,
        bool answersProbes = true,
        Action<FakeWorker>? with = null
    )
    {
        _run = run;
        AnswersProbes = answersProbes;
        Reports = reports;
        _weightsSha256 = weightsSha256 ?? WeightsHash.Compute(run.Start.Weights.Span);
        with?.Invoke(this);
        var join = new Join
        {
            Host = "host",
            ProcessId = 100 + number,
            LocalNumber = isLocal ? localNumber ?? number : 0,
        };
        Session = new MemberSession(number, join, $"http://127.0.0.1:{5000 + number}");
        run.Happens(new MemberJoined(Session));
        Sending = Session.SendLoopAsync(this, CancellationToken.None);
        Say(message => message.Ready = new Ready { HoldsDataset = true });
    }

    public MemberSession Session { get; }

    /// <summary>Whether it reports the steps that it is granted.</summary>
    public bool Reports { get; set; } = true;

    /// <summary>How fast it says that it is.</summary>
    public ulong MicrosecondsPerMicrobatch { get; set; } = 1000;

    /// <summary>Sees what it is granted.</summary>
    public Action<Grants>? Granted { get; set; }

    /// <summary>Whether it begins to report with the next view.</summary>
    public bool ReportsFromNextView { get; set; }

    /// <summary>Whether it sends its state when it is asked to.</summary>
    public bool SendsState { get; set; } = true;

    /// <summary>Whether it answers when it is asked if it reaches another worker.</summary>
    public bool AnswersProbes { get; }

    /// <summary>Why it does not reach another worker; empty if it does.</summary>
    public Func<Probe, string> Reaches { get; set; } = _ => "";

    /// <summary>Whether it confirms its weights at the end.</summary>
    public bool Confirms { get; set; } = true;

    /// <summary>Whether it answers a freeze.</summary>
    public bool Stops { get; set; } = true;

    /// <summary>The position that it says it has completed, where that is another than it has reported.</summary>
    public long? Position
    {
        get => _position;
        set => _position = value;
    }

    /// <summary>What it says is the hash of its state after a step.</summary>
    public Func<long, ByteString> StateHashAfter { get; set; } = _ => HashOf(0);

    /// <summary>The hash with which a state arrives that it sends.</summary>
    public ByteString SnapshotHash { get; set; } = HashOf(0);

    /// <summary>The view that it was told of last.</summary>
    public View? View => _view;

    public Task Sending { get; }

    /// <summary>Ends when it is let go.</summary>
    public Task Dismissed => _dismissed.Task.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Ends when it has said that it has reached the others of a view.</summary>
    public Task Entered => _entered.Task.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Waits until it has taken all that has been sent to it.</summary>
    public async Task TakenAsync()
    {
        Session.Send(new CoordinatorMessage()); // in its turn
        await _taken.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
    }

    public WriteOptions? WriteOptions { get; set; }

    public void Say(Action<WorkerMessage> fill, long step = 0)
    {
        var message = new WorkerMessage
        {
            Run = ControlledRun.RunId,
            Generation = _generation.ToMessage(),
            Step = (ulong)step,
        };
        fill(message);
        _run.Happens(new MessageReceived(Session, message));
    }

    /// <summary>A heartbeat of a worker that has done something since the last one.</summary>
    public void Beat(long step, Phase phase) => Beat(step, phase, ++_progress);

    /// <summary>A heartbeat.</summary>
    /// <param name="step">The step.</param>
    /// <param name="phase">What it does.</param>
    /// <param name="progress">How much it has done.</param>
    /// <param name="waitsFor">Who it waits for.</param>
    public void Beat(long step, Phase phase, ulong progress, string waitsFor = "") =>
        Say(
            message =>
                message.Heartbeat = new Heartbeat
                {
                    Phase = phase,
                    Progress = progress,
                    WaitsFor = waitsFor,
                },
            step
        );

    /// <summary>Waits until it has said whether it reaches another worker.</summary>
    /// <returns>The other one.</returns>
    public async Task<int> ProbedAsync() => await _probed.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public Task WriteAsync(CoordinatorMessage message)
    {
        var step = (long)message.Step;
        switch (message.BodyCase)
        {
            case CoordinatorMessage.BodyOneofCase.None:
                _taken.Writer.TryWrite(true);
                break;
            case CoordinatorMessage.BodyOneofCase.View:
                Reports |= ReportsFromNextView;
                _view = message.View;
                _generation = ViewGeneration.From(message.Generation);
                _position = Math.Max(_position ?? 0, (long)_view.Position);
                if (_view.Rank == 0)
                    _run.Sees(ViewOf(message));
                Say(answer => answer.ViewOpened = new ViewOpened());
                _entered.TrySetResult();
                break;
            case CoordinatorMessage.BodyOneofCase.Grants:
                Granted?.Invoke(message.Grants);
                if (Reports)
                    Say(answer => answer.Reports = new StepReports { Reports = { message.Grants.Grants_.Select(Report) } });
                break;
            case CoordinatorMessage.BodyOneofCase.Freeze when Stops:
                _generation = ViewGeneration.From(message.Generation);
                Say(answer => answer.Frozen = new Frozen { HoldsState = _position is not null, Position = (ulong)(_position ?? 0) });
                break;
            case CoordinatorMessage.BodyOneofCase.Probe when AnswersProbes:
                Say(answer => answer.ProbeResult = new ProbeResult { Worker = message.Probe.Worker, Cause = Reaches(message.Probe) });
                _probed.Writer.TryWrite(message.Probe.Worker);
                break;
            case CoordinatorMessage.BodyOneofCase.Snapshot when SendsState:
                _run.Happens(new SnapshotArrived(new Checkpoint(step, _run.Start.Weights, _run.Start.Moments), SnapshotHash));
                break;
            case CoordinatorMessage.BodyOneofCase.Dismissal:
                if (message.Dismissal.Complete && Confirms)
                {
                    Say(answer =>
                        answer.Finished = new Finished { WeightsSha256 = ByteString.CopyFrom(Convert.FromHexString(_weightsSha256)) }
                    );
                }

                _dismissed.TrySetResult();
                break;
        }

        return Task.CompletedTask;
    }

    /// <summary>Reports a step as one that has been trained with the others.</summary>
    public void SayCompleted(long step) =>
        Say(
            message =>
                message.Reports = new StepReports
                {
                    Reports = { _run.IsCompared(step) ? [Completed(Work.Train, step), Compared(step)] : [Completed(Work.Train, step)] },
                },
            step
        );

    private static ClusterView ViewOf(CoordinatorMessage message) =>
        new(
            ViewGeneration.From(message.Generation),
            (long)message.View.FirstStep,
            [.. message.View.Members.Select(member => member.Worker)],
            [.. message.View.Members.Select(member => (int)member.Share)]
        );

    /// <summary>One hash of many.</summary>
    public static ByteString HashOf(byte which) => ByteString.CopyFrom([.. Enumerable.Repeat(which, StateHash.ByteLength)]);

    private StepReport Report(Grant grant)
    {
        if (grant.Work == Work.Compare)
            return Compared((long)grant.Step);
        var (start, end) = Shares.RangeOf((int)grant.Microbatches, [.. _view!.Members.Select(member => (int)member.Share)], _view.Rank);
        var report = Completed(grant.Work, (long)grant.Step);
        report.Microbatches = (uint)(end - start);
        report.ComputeMicroseconds = MicrosecondsPerMicrobatch * report.Microbatches;
        return report;
    }

    private StepReport Compared(long step) =>
        new()
        {
            Work = Work.Compare,
            Step = (ulong)step,
            StateHash = StateHashAfter(step),
        };

    private StepReport Completed(Work work, long step)
    {
        var done = new PlannedWork(
            work switch
            {
                Work.Train => WorkKind.Train,
                Work.EvaluateHoldout => WorkKind.EvaluateHoldout,
                _ => WorkKind.Evaluate,
            },
            step
        );
        _position = done.Position;
        return new StepReport
        {
            Work = work,
            Step = (ulong)step,
            Record = _run.RecordOf(done.Kind, step).ToBytes(),
        };
    }
}
