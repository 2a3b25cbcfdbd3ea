using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Computing;
using Distributed.Worker.Exchange;
using Grpc.Core;

namespace Distributed.Worker.Sessions;

/// <summary>A worker's membership in a run: joins, executes commands, and reports progress.</summary>
/// <param name="options">The worker's options.</param>
/// <param name="token">The run's token.</param>
/// <param name="address">Where peers reach this worker.</param>
/// <param name="directory">Lets peers find the view.</param>
/// <param name="logs">Where it is logged.</param>
internal sealed class WorkerSession(WorkerOptions options, RunToken? token, string address, ViewDirectory directory, ILoggerFactory logs)
{
    // Views, grants, shards and snapshots of the window of steps that a coordinator grants ahead.
    private const int WorkQueueLength = 4096;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DismissalTime = TimeSpan.FromSeconds(10);

    private readonly SessionLog _log = new(logs.CreateLogger<SessionLog>());
    private volatile Exception? _ended; // what ends the work of a session from outside
    private volatile bool _isInterrupted;
    private volatile bool _mayReturn; // the last session was ended by the coordinator, which goes on
    private HeldReplica? _held;

    /// <summary>
    /// Joins and works until the coordinator dismisses this worker. When the coordinator is gone, it keeps its state and waits for one that
    /// takes the run over.
    /// </summary>
    /// <param name="leave">Asks to leave after what has been granted.</param>
    /// <exception cref="RunFailedException">The run, or this worker's part in it, has failed.</exception>
    /// <exception cref="RunSuspendedException">The run was interrupted, or the coordinator has gone; both may come back.</exception>
    /// <exception cref="InputException">The coordinator does not take this worker.</exception>
    public async Task RunAsync(CancellationToken leave)
    {
        using var connection = new Connection(options.Coordinator, token, TimeSpan.FromSeconds(options.CoordinatorTimeout));
        try
        {
            await RunSessionAsync(connection, lost: null, leave);
        }
        finally
        {
            if (_held is not null)
                await _held.DisposeAsync();
        }

        if (_isInterrupted && !leave.IsCancellationRequested)
            throw new RunSuspendedException("the run was interrupted; start this worker again when it goes on");
    }

    private async Task RunSessionAsync(Connection connection, RunSuspendedException? lost, CancellationToken leave)
    {
        var pause = FirstPause;
        while (true)
        {
            var (session, welcome) = await JoinOrLeaveStateAsync(connection, lost, leave);
            _mayReturn = false;
            await using (session)
            {
                try
                {
                    await TakePartAsync(session, welcome, leave);
                    return;
                }
                catch (OutOfMemoryException exception)
                {
                    throw await ConfessAsync(session, welcome, exception);
                }
                catch (RunSuspendedException exception) when (_held is not null && options.Local is null && !leave.IsCancellationRequested)
                {
                    lost = exception;
                    (_ended, _isInterrupted) = (null, false);
                }
            }

            await _held.Runner.LetGoAsync();
            if (!_mayReturn)
            {
                await StandardStreams.Error.WriteLineAsync(
                    $"{lost.Message}; this worker keeps its state and waits {options.CoordinatorTimeout} seconds for one that goes on with it"
                );
                continue;
            }

            await StandardStreams.Error.WriteLineAsync($"{lost.Message}; this worker joins again in {pause.TotalSeconds:0} seconds");
            await Task.Delay(pause, leave);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<(SessionStream Session, CoordinatorMessage Welcome)> JoinOrLeaveStateAsync(
        Connection connection,
        RunSuspendedException? lost,
        CancellationToken leave
    )
    {
        try
        {
            return await JoinAsync(connection, lost, leave);
        }
        catch (RunSuspendedException) when (_held is not null)
        {
            if (await new EmergencyCheckpoint(_held, token, options.EmergencyDir).LeaveAsync(leave) is { } line)
                await StandardStreams.Error.WriteLineAsync(line);
            throw;
        }
    }

    // It was building its replica; nothing of the session has been read yet but the welcome.
    private static async Task<RunFailedException> ConfessAsync(
        SessionStream session,
        CoordinatorMessage welcome,
        OutOfMemoryException exception
    )
    {
        var reason = OutOfMemory(welcome.Welcome.Settings);
        session.Post(
            new WorkerMessage
            {
                Run = welcome.Run,
                Failure = new Failure { Reason = reason },
            }
        );
        using var patience = new CancellationTokenSource(DismissalTime);
        await session.CompleteAsync(patience.Token);
        return new RunFailedException(reason, exception);
    }

    private async Task TakePartAsync(SessionStream session, CoordinatorMessage welcome, CancellationToken leave)
    {
        WorkRunner? working = null;
        var wait = new CoordinatorWait(options.Coordinator);
        var beating = session.BeatAsync(() =>
        {
            if (working is not null && options.Local is null) // a local one's coordinator tells it itself
                Tell(wait.Beat(working.Phase == Phase.Idle, working.Progress.Value, working.HasView));
            return Beat(working, welcome.Run);
        });
        var settings = welcome.Welcome.Settings;
        if (_held?.Belongs(welcome) == false)
        {
            await _held.DisposeAsync();
            _held = null;
        }

        _held ??= await BuildAsync(welcome);
        working = _held.Runner;
        working.Post = session.Post;
        await WorkAsync(session, _held.Run, working, settings, leave);
    }

    private async Task<HeldReplica> BuildAsync(CoordinatorMessage welcome)
    {
        var run = RunContext.Of(welcome, options.Data);
        var members = new MemberLinks(run, options.Threads, options.Coordinator, token, directory);
        var failure = FailurePoint.Of(Environment.GetEnvironmentVariable(FailurePoint.EnvironmentVariable), options.Local?.Number ?? 0);
        var held = new HeldReplica(
            run,
            welcome.Welcome.Settings,
            new WorkRunner(run, options.Threads, members, new WorkLog(logs.CreateLogger<WorkLog>()), failure)
        );
        if (options.Local is { } local)
            await held.Runner.PinAsync(ProcessorShare.Of(ThreadAffinity.Allowed(), local.Number, local.Count, options.Threads));
        directory.Serve(held.Runner);
        directory.Compare = held.Comparison.Answer;
        return held;
    }

    /// <summary>What there is too little memory for on this machine, and what can be made smaller.</summary>
    internal static string OutOfMemory(RunSettings settings)
    {
        const string source = "the coordinator's settings";
        var options = RunConfigurationJson.Read(settings.ConfigurationJson, source).Options;
        var parameters = new Network(ModelSpec.FromJson(options.Model, source), RunContext.ColumnsOf(settings), settings.Outputs)
            .Layout
            .Length;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"out of memory on {Environment.MachineName} with {parameters:N0} parameters, batches of {options.BatchSize} samples and microbatches of {options.Microbatch}: make --model, --batch-size or --microbatch smaller, or run fewer workers there"
        );
    }

    private static void Tell(string? line)
    {
        if (line is not null)
            StandardStreams.Error.WriteLine(line);
    }

    private static WorkerMessage Beat(WorkRunner? runner, ulong run) =>
        runner?.Message(message =>
            message.Heartbeat = new Heartbeat
            {
                WaitsFor = runner.WaitsFor, // before the progress, which rises before a wait is over
                Progress = (ulong)runner.Progress.Value,
                Phase = runner.Phase,
            }
        ) ?? new WorkerMessage { Run = run, Heartbeat = new Heartbeat() };

    private async Task WorkAsync(SessionStream session, RunContext run, WorkRunner runner, RunSettings settings, CancellationToken leave)
    {
        using var views = new ViewLifetime();
        var work = Channel.CreateBounded<WorkItem>(new BoundedChannelOptions(WorkQueueLength) { SingleReader = true, SingleWriter = true });
        var grants = new GrantReader(run.Decoder, run.Settings.Objective.TargetWidth, run.Dataset, run.Settings.TablesOfRows, run.Ahead);
        var reading = ReadAsync(session, runner, grants, work.Writer, views);
        using var leaving = leave.Register(() => session.Post(runner.Message(message => message.Leave = new Leave())));
        runner.SayReady();
        try
        {
            await HungWork.AwaitAsync(DoAsync(work.Reader, session, runner, views), reading, () => _ended);
            await reading;
            using var patience = new CancellationTokenSource(DismissalTime);
            await session.CompleteAsync(patience.Token);
        }
        catch (Exception exception) when (_ended is not null && exception is OperationCanceledException or RunSuspendedException)
        {
            throw _ended;
        }
        catch (Exception thrown) when (thrown is not RunFailedException)
        {
            var exception = thrown is OutOfMemoryException ? new RunFailedException(OutOfMemory(settings), thrown) : thrown;
            await ReportAsync(session, runner, exception, reading);
            throw _ended as RunSuspendedException ?? (Exception)new RunFailedException(exception.Message); // where the coordinator has gone, other failures follow
        }
    }

    // A view that is over is passed over, whatever came of it. One that has failed here ends everywhere, and the coordinator says when.
    private async Task DoAsync(ChannelReader<WorkItem> work, SessionStream session, WorkRunner runner, ViewLifetime views)
    {
        var isBroken = false;
        await foreach (var item in work.ReadAllAsync(CancellationToken.None))
        {
            if (item is not (LeaveViews or Stop) && (isBroken || views.IsOver(item.Generation)))
                continue;
            try
            {
                await runner.RunAsync(item, work, views);
                isBroken &= item is not LeaveViews;
            }
            catch (Exception exception)
                when (views.IsOver(item.Generation) && exception is OperationCanceledException or PeerFailureException)
            {
                if (_ended is { } ended)
                    throw ended;
            }
            catch (PeerFailureException exception)
            {
                isBroken = true;
                runner.SendReports();
                session.Post(runner.Message(message => message.Failure = FailureOf(exception, runner.Phase)));
            }

            if (item is not Stop stop)
                continue;
            _isInterrupted = stop.Interrupted;
            if (stop.Reason.Length > 0)
                throw Ended(stop.Reason, stop.MayReturn);
        }
    }

    private async Task ReadAsync(
        SessionStream session,
        WorkRunner runner,
        GrantReader grants,
        ChannelWriter<WorkItem> work,
        ViewLifetime views
    )
    {
        Exception? failure = null;
        try
        {
            while (await session.Incoming.MoveNext(CancellationToken.None))
            {
                var message = session.Incoming.Current;
                _log.Received(message);
                if (message.Freeze is not null)
                {
                    views.End(ViewGeneration.From(message.Generation)); // before the work that is queued
                    grants.Reset();
                }

                runner.Progress.Advance();
                if (message.Probe is { } probe)
                    _ = ProbeAsync(session, runner, probe); // neither what is read next nor the computation waits for it
                foreach (var item in Items(message, grants))
                    await work.WriteAsync(item);
                if (message.Dismissal is not { } dismissal)
                    continue;
                if (dismissal.Reason.Length > 0)
                {
                    _ended = Ended(dismissal.Reason, dismissal.MayReturn);
                    _mayReturn = dismissal.MayReturn;
                    views.EndAll();
                }

                return;
            }

            failure = Lost("the connection was closed");
        }
        catch (RpcException exception)
        {
            failure = Lost(WireErrors.Cause(exception));
        }
        catch (InvalidDataException exception)
        {
            failure = exception;
        }
        finally
        {
            if (failure is not null)
                _ended = failure is RunSuspendedException ? failure : new RunFailedException(failure.Message);
            _log.Ended(failure?.Message);
            work.TryComplete(failure);
            if (failure is not null)
                views.EndAll();
        }
    }

    private async Task ProbeAsync(SessionStream session, WorkRunner runner, Probe probe)
    {
        var cause = await PeerProbe.DialAsync(probe.Address, token);
        session.Post(runner.Message(message => message.ProbeResult = new ProbeResult { Worker = probe.Worker, Cause = cause }));
    }

    private static IEnumerable<WorkItem> Items(CoordinatorMessage message, GrantReader grants)
    {
        var generation = ViewGeneration.From(message.Generation);
        return message.BodyCase switch
        {
            CoordinatorMessage.BodyOneofCase.View => [new EnterView(generation, message.View)],
            CoordinatorMessage.BodyOneofCase.Grants => message
                .Grants.Grants_.Select(grant =>
                    grant.Work == Work.Compare
                        ? (WorkItem)new CompareStates(generation, checked((long)grant.Step))
                        : grants.Take(generation, grant)
                )
                .OfType<WorkItem>(),
            CoordinatorMessage.BodyOneofCase.Shard => grants.Take(message.Shard) is { } work ? [work] : [],
            CoordinatorMessage.BodyOneofCase.Snapshot => [new SendSnapshot(generation, checked((long)message.Step))],
            CoordinatorMessage.BodyOneofCase.Freeze => [new LeaveViews(generation)],
            CoordinatorMessage.BodyOneofCase.Dismissal =>
            [
                new Stop(
                    generation,
                    message.Dismissal.Complete,
                    message.Dismissal.Interrupted,
                    message.Dismissal.MayReturn,
                    message.Dismissal.Reason
                ),
            ],
            _ => [],
        };
    }

    // A coordinator that was lost may be replaced by one that takes the run over.
    private async Task<(SessionStream Session, CoordinatorMessage Welcome)> JoinAsync(
        Connection connection,
        RunSuspendedException? lost,
        CancellationToken leave
    )
    {
        var patience = TimeSpan.FromSeconds(lost is null ? options.ConnectTimeout : options.CoordinatorTimeout);
        var reminder = new WaitReminder();
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(RetryInterval, leave))
        {
            var session = new SessionStream(new Cluster.ClusterClient(connection.Calls).Session(cancellationToken: CancellationToken.None));
            try
            {
                session.Post(JoinMessage());
                if (await session.Incoming.MoveNext(leave) && session.Incoming.Current.BodyCase == CoordinatorMessage.BodyOneofCase.Welcome)
                {
                    var welcome = Checked(session.Incoming.Current);
                    _log.Joined(welcome);
                    return (session, welcome);
                }

                throw new RunFailedException($"--coordinator {options.Coordinator}: it let this worker go before the run began");
            }
            catch (RpcException exception) when (IsNoAnswer(exception.StatusCode) && Stopwatch.GetElapsedTime(began) < patience)
            {
                await session.DisposeAsync();
                _log.Unanswered(options.Coordinator, WireErrors.Cause(exception));
                if (reminder.IsDue(Stopwatch.GetElapsedTime(began)))
                    await StandardStreams.Error.WriteLineAsync(Unanswered(Stopwatch.GetElapsedTime(began), patience, exception));
            }
            catch (RpcException exception)
            {
                await session.DisposeAsync();
                throw lost is not null && IsNoAnswer(exception.StatusCode)
                    ? new RunSuspendedException($"{lost.Message}; start this worker again when the run goes on")
                    : Refused(exception);
            }
        }
    }

    // A coordinator that is older than this worker has not compared all that it was told.
    private CoordinatorMessage Checked(CoordinatorMessage welcome)
    {
        var coordinator = new BuildVersions(welcome.Welcome.ProtocolVersion, welcome.Welcome.NumericsVersion);
        var own = new BuildVersions(ProtocolVersion.Current, NumericsVersion.Current);
        return BuildVersions.Mismatch(own, coordinator) is { } reason
            ? throw new InputException($"--coordinator {options.Coordinator}: {reason}")
            : welcome;
    }

    private string Unanswered(TimeSpan waited, TimeSpan patience, RpcException exception) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"waiting for the coordinator at {options.Coordinator} for {waited.TotalSeconds:0} s: {WireErrors.Cause(exception)}; "
                + $"it has not been started, the address is another one, or a firewall is between; given up after {patience.TotalSeconds:0} s"
        );

    // Not there yet, or something else answers in its place: 404 is Unimplemented, what is no gRPC at all Internal or Unknown.
    private static bool IsNoAnswer(StatusCode status) =>
        status is StatusCode.Unavailable or StatusCode.Unimplemented or StatusCode.Internal or StatusCode.Unknown;

    private WorkerMessage JoinMessage() =>
        new()
        {
            Join = new Join
            {
                Address = address,
                Host = Environment.MachineName,
                ProcessId = Environment.ProcessId,
                NumericsVersion = NumericsVersion.Current,
                ProtocolVersion = ProtocolVersion.Current,
                LocalNumber = options.Local?.Number ?? 0,
            },
        };

    private Exception Refused(RpcException exception) =>
        exception.StatusCode switch
        {
            var status when IsNoAnswer(status) => new RunFailedException(
                $"--coordinator {options.Coordinator}: not reached within {options.ConnectTimeout} seconds ({WireErrors.Cause(exception)}); start the coordinator, or check the address"
            ),
            StatusCode.Cancelled => new OperationCanceledException(),
            _ => new InputException($"--coordinator {options.Coordinator}: {WireErrors.Cause(exception)}", exception),
        };

    private static Exception Ended(string reason, bool mayReturn) =>
        mayReturn
            ? new RunSuspendedException($"the run goes on without this worker: {reason}")
            : new RunFailedException($"the coordinator has ended the run: {reason}");

    private RunSuspendedException Lost(string cause) => new($"the coordinator at {options.Coordinator} is gone ({cause})");

    /// <summary>The failure message for an exception; the coordinator adds worker, step and phase to the reason.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="phase">What the worker was doing, unless the exception knows better.</param>
    internal static Failure FailureOf(Exception exception, Phase phase) =>
        exception is PeerFailureException peer
            ? new Failure
            {
                Phase = peer.Phase,
                Reason = peer.Cause,
                Peer = peer.Peer,
            }
            : new Failure
            {
                Phase = phase,
                Reason = exception.Message,
                ByTraining = exception is NonFiniteLossException,
            };

    // The coordinator decides what a failure means; it answers with a dismissal.
    private static async Task ReportAsync(SessionStream session, WorkRunner runner, Exception exception, Task reading)
    {
        runner.SendReports();
        session.Post(runner.Message(message => message.Failure = FailureOf(exception, runner.Phase)));
        await Task.WhenAny(reading, Task.Delay(DismissalTime));
    }
}
