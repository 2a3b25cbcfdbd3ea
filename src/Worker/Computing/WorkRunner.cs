using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Exchange;
using Distributed.Worker.Sessions;
using Grpc.Core;

namespace Distributed.Worker.Computing;

/// <summary>Carries out this worker's work in the order in which it was granted, on the compute thread.</summary>
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
    private ReductionPlans _plans = new(Shares.Equal(1), []);
    private IStepExchange? _exchange;
    private ViewGeneration _generation;
    private int _rank;
    private TimeSpan _computeTime;
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
    public Phase Phase => _phase == Phase.ReduceScatter ? _exchange?.Phase ?? _phase : _phase;

    /// <summary>
    /// Keeps the compute threads to some processors, if there are any; where the system refuses, it goes on placing them.
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
            await Console.Error.WriteLineAsync(
                $"the compute threads cannot be kept to processors {string.Join(',', processors)}: {exception.Message}"
            );
        }
    }

    /// <summary>
    /// Carries out a piece of work, and computations that follow it at once: between steps, the compute thread asks nobody.
    /// </summary>
    /// <param name="item">The work.</param>
    /// <param name="following">The work that follows; nobody else may read it meanwhile.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">Another member was lost.</exception>
    /// <exception cref="NonFiniteLossException">The training has diverged.</exception>
    public async Task RunAsync(WorkItem item, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
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
        // The state stays as it is while it is sent: the next step cannot complete without the one who asks.
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
        _plans = new ReductionPlans(
            [.. enter.View.Members.Select(member => checked((int)member.Share))],
            Buckets.Of(_run.Settings.Network.Layout, enter.View.Members.Count)
        );
        Step = first - 1;
        _exchange = await _members.EnterAsync(enter, _plans, _replica.Weights, cancellationToken);
        if (enter.View.FetchState)
        {
            await _members.FetchStateAsync(
                enter.View.StateSource,
                Header() with
                {
                    Kind = FrameKind.State,
                },
                _replica.Weights.State,
                cancellationToken
            );
            _replica.Weights.State.Step = Step;
            _completed.Open(Step);
        }

        _post(Message(message => message.ViewOpened = _members.Reached));
    }

    private void ComputeAll(Compute first, ChannelReader<WorkItem> following, CancellationToken cancellationToken)
    {
        for (var work = first; work is not null; work = NextOf(following))
        {
            if (work.Work == Work.Train)
                Train(work, cancellationToken);
            else
                Evaluate(work);
            _reports.Add(Report(work), following.Count);
        }
    }

    private static Compute? NextOf(ChannelReader<WorkItem> following) =>
        following.TryPeek(out var next) && next is Compute && following.TryRead(out next) ? (Compute)next : null;

    private void Train(Compute work, CancellationToken cancellationToken)
    {
        Step = work.Step;
        _phase = Phase.ForwardBackward;
        var plan = _exchange!.Begin(work.Step, work.Microbatches, work.BatchSamples);
        CheckShare(plan, work);
        var began = Stopwatch.GetTimestamp();
        _replica.ForwardBackward(plan, _rank, work.Samples, _exchange.Memory, _exchange.Progress);
        _computeTime = Stopwatch.GetElapsedTime(began);
        _phase = Phase.ReduceScatter;
        _exchange.Complete(cancellationToken);
        _completed.Open(Step);
    }

    private void Evaluate(Compute work)
    {
        _phase = Phase.Evaluation;
        var plan = _plans.For(work.Microbatches);
        CheckShare(plan, work);
        _replica.Evaluate(plan, _rank, work.Samples);
    }

    private async Task StopAsync(Stop stop)
    {
        await _snapshots.FlushAsync();
        await _members.LeaveAsync();
        if (!stop.Complete)
            return;
        var hash = SHA256.HashData(MemoryMarshal.AsBytes(_replica.Weights.State.Weights.Span));
        _post(Message(message => message.Finished = new Finished { WeightsSha256 = Google.Protobuf.ByteString.CopyFrom(hash) }));
    }

    private void CheckShare(ReductionPlan plan, Compute work)
    {
        var (start, end) = plan.RangeOf(_rank);
        var (first, last) = ((long)start * _run.Settings.Microbatch, Math.Min((long)end * _run.Settings.Microbatch, work.BatchSamples));
        if (work.Samples.Count != Math.Max(0, last - first))
        {
            throw new InvalidDataException(
                $"step {work.Step}: {work.Samples.Count} samples were granted for microbatches [{start}, {end}) of {work.BatchSamples} samples"
            );
        }
    }

    private StepReport Report(Compute compute)
    {
        var report = new StepReport { Work = compute.Work, Step = (ulong)compute.Step };
        if (compute.Work == Work.Train)
            report.ComputeMicroseconds = (ulong)_computeTime.TotalMicroseconds;
        foreach (var (block, sums) in _replica.Sums)
        {
            report.Blocks.Add(
                new BlockSums
                {
                    Start = (uint)block.Start,
                    Count = (uint)block.Count,
                    LossSum = sums.Loss,
                    Correct = (uint)sums.Counts[0],
                    Samples = (uint)sums.Samples,
                }
            );
        }

        return report;
    }

    private void ReportLostSnapshot(long step, Exception exception)
    {
        var message = Message(message =>
            message.Failure = new Failure { Phase = Phase.Snapshot, Reason = $"it could not be sent: {WireErrors.Cause(exception)}" }
        );
        message.Step = (ulong)step;
        _post(message);
    }

    private FrameHeader Header() => new(_run.Run, _generation, Step, FrameKind.State, 0, 0);
}
