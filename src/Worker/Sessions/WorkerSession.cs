using System.Globalization;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
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
internal sealed class WorkerSession(WorkerOptions options, RunToken? token, string address, ViewDirectory directory)
{
    // Views, grants, shards and snapshots of the window of steps that a coordinator grants ahead.
    private const int WorkQueueLength = 4096;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan DismissalTime = TimeSpan.FromSeconds(10);

    private volatile Exception? _ended; // what ends the work from outside
    private volatile bool _isInterrupted;

    /// <summary>Joins and works until the coordinator dismisses this worker.</summary>
    /// <param name="leave">Asks to leave after what has been granted.</param>
    /// <exception cref="RunFailedException">The run, or this worker's part in it, has failed.</exception>
    /// <exception cref="RunSuspendedException">The run was interrupted, or the coordinator has gone; both may come back.</exception>
    /// <exception cref="InputException">The coordinator does not take this worker.</exception>
    public async Task RunAsync(CancellationToken leave)
    {
        using var connection = new Connection(options.Coordinator, token, TimeSpan.FromSeconds(options.CoordinatorTimeout));
        var (stream, welcome) = await JoinAsync(connection, leave);
        await using var session = stream;
        try
        {
            await TakePartAsync(session, welcome, leave);
        }
        catch (OutOfMemoryException exception)
        {
            // It was building its replica; nothing of the session has been read yet but the welcome.
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
            throw new RunFailedException(reason, exception);
        }

        if (_isInterrupted && !leave.IsCancellationRequested)
            throw new RunSuspendedException("the run was interrupted; start this worker again when it goes on");
    }

    private async Task TakePartAsync(SessionStream session, CoordinatorMessage welcome, CancellationToken leave)
    {
        WorkRunner? working = null;
        var beating = session.BeatAsync(() => Beat(working, welcome.Run));
        var run = RunContext.Of(welcome, options.Data);
        await using var members = new MemberLinks(run, options.Threads, options.Coordinator, token, directory);
        await using var runner = new WorkRunner(run, options.Threads, members, session.Post);
        if (options.Local is { } local)
            await runner.PinAsync(ProcessorShare.Of(ThreadAffinity.Allowed(), local.Number, local.Count, options.Threads));
        working = runner;
        directory.Serve(runner);
        await WorkAsync(session, run, runner, welcome.Welcome.Settings, leave);
    }

    /// <summary>What there is too little memory for on this machine, and what can be made smaller.</summary>
    internal static string OutOfMemory(RunSettings settings)
    {
        const string source = "the coordinator's settings";
        var options = RunConfigurationJson.Read(settings.ConfigurationJson, source).Options;
        var shape = new SampleShape(settings.Shape.Channels, settings.Shape.Height, settings.Shape.Width);
        var parameters = new Network(ModelSpec.FromJson(options.Model, source), shape, settings.Outputs).Layout.Length;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"out of memory on {Environment.MachineName} with {parameters:N0} parameters, batches of {options.BatchSize} samples and microbatches of {options.Microbatch}: make --model, --batch-size or --microbatch smaller, or run fewer workers there"
        );
    }

    private static WorkerMessage Beat(WorkRunner? runner, ulong run) =>
        runner?.Message(message => message.Heartbeat = new Heartbeat { Phase = runner.Phase })
        ?? new WorkerMessage { Run = run, Heartbeat = new Heartbeat() };

    private async Task WorkAsync(SessionStream session, RunContext run, WorkRunner runner, RunSettings settings, CancellationToken leave)
    {
        using var failed = new CancellationTokenSource();
        var work = Channel.CreateBounded<WorkItem>(new BoundedChannelOptions(WorkQueueLength) { SingleReader = true, SingleWriter = true });
        var reading = ReadAsync(
            session,
            new GrantReader(run.Decoder, run.Settings.Objective.TargetWidth, run.Dataset),
            work.Writer,
            failed
        );
        using var leaving = leave.Register(() => session.Post(runner.Message(message => message.Leave = new Leave())));
        session.Post(runner.Message(message => message.Ready = new Ready { HoldsDataset = run.Dataset is not null }));
        try
        {
            await DoAsync(work.Reader, runner, failed.Token);
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

    private async Task DoAsync(ChannelReader<WorkItem> work, WorkRunner runner, CancellationToken cancellationToken)
    {
        await foreach (var item in work.ReadAllAsync(CancellationToken.None))
        {
            await runner.RunAsync(item, work, cancellationToken);
            if (item is not Stop stop)
                continue;
            _isInterrupted = stop.Interrupted;
            if (stop.Reason.Length > 0)
                throw Ended(stop.Reason);
        }
    }

    private async Task ReadAsync(SessionStream session, GrantReader grants, ChannelWriter<WorkItem> work, CancellationTokenSource failed)
    {
        Exception? failure = null;
        try
        {
            while (await session.Incoming.MoveNext(CancellationToken.None))
            {
                foreach (var item in Items(session.Incoming.Current, grants))
                    await work.WriteAsync(item);
                if (session.Incoming.Current.Dismissal is not { } dismissal)
                    continue;
                if (dismissal.Reason.Length > 0)
                {
                    _ended = Ended(dismissal.Reason);
                    await failed.CancelAsync();
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
            work.TryComplete(failure);
            if (failure is not null)
                await failed.CancelAsync();
        }
    }

    private static IEnumerable<WorkItem> Items(CoordinatorMessage message, GrantReader grants) =>
        message.BodyCase switch
        {
            CoordinatorMessage.BodyOneofCase.View => [new EnterView(ViewGeneration.From(message.Generation), message.View)],
            CoordinatorMessage.BodyOneofCase.Grants => message.Grants.Grants_.Select(grants.Take).OfType<WorkItem>(),
            CoordinatorMessage.BodyOneofCase.Shard => grants.Take(message.Shard) is { } work ? [work] : [],
            CoordinatorMessage.BodyOneofCase.Snapshot => [new SendSnapshot(checked((long)message.Step))],
            CoordinatorMessage.BodyOneofCase.Dismissal =>
            [
                new Stop(message.Dismissal.Complete, message.Dismissal.Interrupted, message.Dismissal.Reason),
            ],
            _ => [],
        };

    private async Task<(SessionStream Session, CoordinatorMessage Welcome)> JoinAsync(Connection connection, CancellationToken leave)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(options.ConnectTimeout); ; await Task.Delay(RetryInterval, leave))
        {
            var session = new SessionStream(new Cluster.ClusterClient(connection.Calls).Session(cancellationToken: CancellationToken.None));
            try
            {
                session.Post(JoinMessage());
                if (await session.Incoming.MoveNext(leave) && session.Incoming.Current.BodyCase == CoordinatorMessage.BodyOneofCase.Welcome)
                    return (session, session.Incoming.Current);
                throw new RunFailedException($"--coordinator {options.Coordinator}: it let this worker go before the run began");
            }
            catch (RpcException exception) when (IsNoAnswer(exception.StatusCode) && DateTime.UtcNow < deadline)
            {
                await session.DisposeAsync();
            }
            catch (RpcException exception)
            {
                await session.DisposeAsync();
                throw Refused(exception);
            }
        }
    }

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

    private static RunFailedException Ended(string reason) => new($"the coordinator has ended the run: {reason}");

    private RunSuspendedException Lost(string cause) =>
        new($"the coordinator at {options.Coordinator} is gone ({cause}); start this worker again when the run goes on");

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
