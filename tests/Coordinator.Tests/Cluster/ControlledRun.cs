using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run's loop of control with workers that are played and a clock that stands still until it is moved.</summary>
[SuppressMessage("Design", "CA1001", Justification = "EndAsync ends it.")]
internal sealed class ControlledRun : IRunObserver, ILocalWorkers
{
    // A defect must not hang the tests.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly RunFolder _run;
    private readonly Channel<ClusterEvent> _events = Channel.CreateUnbounded<ClusterEvent>();
    private readonly Channel<RunEvent> _reported = Channel.CreateUnbounded<RunEvent>();
    private readonly ConcurrentQueue<RunEvent> _told = [];
    private readonly ConcurrentQueue<ClusterView> _views = [];
    private readonly Channel<(int Number, TimeSpan Delay)> _replaced = Channel.CreateUnbounded<(int, TimeSpan)>();
    private readonly RunController _controller;
    private readonly RunObservers _observers;
    private readonly GrantWriter _grants;
    private readonly Task<RunResult> _controlling;
    private readonly long _checkpointEvery;

    public ControlledRun(
        int workers,
        long steps,
        long start = 0,
        int batchSize = 64,
        string? listen = null,
        long? checkpointEvery = null,
        int? patience = null,
        long? evalEvery = null
    )
    {
        var prepared = RunPreparation.Load(
            new TrainingOptions
            {
                Model = "mlp:3",
                BatchSize = batchSize,
                Steps = steps,
                EvalEvery = evalEvery ?? steps,
                Patience = patience,
                Data = new() { Holdout = patience is null ? null : "0.1" },
                CheckpointEvery = checkpointEvery ?? steps,
            }
        );
        _checkpointEvery = checkpointEvery ?? steps;
        _grants = new GrantWriter(prepared.Configuration, prepared.Dataset, tables: null);
        _run = RunFolder.Create(_folder.File("run"), prepared.Configuration, prepared.Network.Layout);
        Start = prepared.InitialState() with { Step = start };
        var request = new RunRequest(
            prepared.Configuration,
            prepared.Dataset,
            prepared.Network,
            new ClusterOptions { Workers = workers, Listen = listen },
            _run,
            Start
        );
        _observers = RunObservers.Of(_run, TextWriter.Null, this);
        _controller = new RunController(
            request,
            _observers,
            Time,
            new RunIdentity(RunId, Epoch: 1),
            server: null,
            new SavedState(RunId, Start),
            this
        );
        _controlling = _controller.RunAsync(new Watched(_events.Reader));
    }

    public const ulong RunId = 42;

    /// <summary>The longest that a worker may be silent.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(new ClusterOptions().SilenceTimeout);

    public SettableTime Time { get; } = new();

    /// <summary>The state that the run begins with, and, since nobody really trains, ends with.</summary>
    public Checkpoint Start { get; }

    /// <summary>The views that workers have been told of, in order: each is told by another worker's session.</summary>
    public IEnumerable<ClusterView> Views => _views.OrderBy(view => view.Generation);

    /// <summary>All that has been told so far.</summary>
    public IReadOnlyCollection<RunEvent> Told => _told;

    /// <summary>The record of a step that this run grants.</summary>
    public StepRecord RecordOf(WorkKind kind, long step) =>
        new(new BatchSums(2, 1, 64), StepRecord.ChecksumOf(_grants.BatchOf(new(kind, step)).Indices.Span));

    /// <summary>Whether workers compare their states after a step, as one that is saved.</summary>
    public bool IsCompared(long step) => step % _checkpointEvery == 0;

    /// <summary>A worker has been told of a view.</summary>
    public void Sees(ClusterView view) => _views.Enqueue(view);

    /// <summary>Tells the loop that something has happened.</summary>
    public void Happens(ClusterEvent clusterEvent) => _events.Writer.TryWrite(clusterEvent);

    /// <summary>Moves the clock, and lets the loop notice.</summary>
    public Task PassesAsync(TimeSpan time)
    {
        var left = time;
        do
        {
            Time.Advance(left < LivedTime.MostOfGap ? left : LivedTime.MostOfGap);
            left -= LivedTime.MostOfGap;
            Happens(new Tick(Time.GetTimestamp()));
        } while (left > TimeSpan.Zero);

        return SettledAsync();
    }

    /// <summary>Moves the clock while the loop is stopped, and lets it go on.</summary>
    public Task ResumesAfterAsync(TimeSpan time)
    {
        Time.Advance(time);
        Happens(new Tick(Time.GetTimestamp()));
        return SettledAsync();
    }

    /// <summary>Waits until the loop has handled all that has happened, so that the clock can be moved.</summary>
    public Task SettledAsync()
    {
        var barrier = new Barrier();
        Happens(barrier);
        return Task.WhenAny(barrier.Reached.Task, _controlling).WaitAsync(Patience);
    }

    /// <summary>Waits for a report of a kind.</summary>
    public async Task<T> ReportedAsync<T>(Func<T, bool>? condition = null)
        where T : RunEvent
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                if (await _reported.Reader.ReadAsync(deadline.Token) is T wanted && condition?.Invoke(wanted) != false)
                    return wanted;
            }
        }
        catch (OperationCanceledException) when (_controlling.IsFaulted)
        {
            await _controlling; // which says why
            throw;
        }
    }

    /// <summary>Waits for the end of the run.</summary>
    public async Task<RunResult> EndAsync()
    {
        try
        {
            return await _controlling.WaitAsync(Patience);
        }
        finally
        {
            _controller.Dispose();
            await _observers.DisposeAsync();
            _run.Dispose();
            _folder.Dispose();
        }
    }

    /// <summary>Waits until a local worker is to be replaced.</summary>
    public async Task<(int Number, TimeSpan Delay)> ReplacedAsync() => await _replaced.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    void ILocalWorkers.Replace(int number, TimeSpan delay) => _replaced.Writer.TryWrite((number, delay));

    void ILocalWorkers.Kill(int number, int processId) => Happens(new LocalWorkerExited(number, processId, "the process was killed"));

    void IRunObserver.Report(RunEvent runEvent)
    {
        _told.Enqueue(runEvent);
        _reported.Writer.TryWrite(runEvent);
    }

    private sealed record Barrier : ClusterEvent
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    // When the loop asks for another event, it has handled those before.
    private sealed class Watched(ChannelReader<ClusterEvent> events) : ChannelReader<ClusterEvent>
    {
        public override bool TryRead(out ClusterEvent item)
        {
            while (events.TryRead(out item!))
            {
                if (item is not Barrier barrier)
                    return true;
                barrier.Reached.SetResult();
            }

            return false;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
            events.WaitToReadAsync(cancellationToken);
    }

    /// <summary>A time whose wall clock can be set, beside its timestamps: that of the base class moves both.</summary>
    public sealed class SettableTime : FakeTimeProvider
    {
        private TimeSpan _ahead;

        /// <summary>Sets the wall clock by this much.</summary>
        public void SetBy(TimeSpan change) => _ahead += change;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }
}
