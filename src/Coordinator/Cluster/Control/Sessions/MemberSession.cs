using System.Net;
using System.Threading.Channels;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>The coordinator's end of a worker's session, and what is known of the worker.</summary>
internal sealed class MemberSession
{
    /// <summary>
    /// The most messages that wait to be sent: grants, shards and views of the steps granted ahead; more means that the worker has stopped
    /// reading.
    /// </summary>
    public const int QueueLength = 4096;

    /// <summary>Why a worker with a full queue fails.</summary>
    public static readonly string TakesNothing =
        $"{QueueLength} messages wait to be sent to it (is it overloaded, or the data too large to be sent? "
        + "a worker that holds the data, --data, needs none)";

    private readonly Channel<CoordinatorMessage> _queue = Channel.CreateBounded<CoordinatorMessage>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true }
    );

    private bool _hasEnded;

    /// <summary>A worker that has said who it is.</summary>
    /// <param name="worker">The number that it gets.</param>
    /// <param name="join">What it said.</param>
    /// <param name="address">Where its peers reach it.</param>
    public MemberSession(int worker, Join join, string address)
    {
        Worker = worker;
        Join = join;
        Address = address;
    }

    /// <summary>Its number, in order of arrival; names it in all messages.</summary>
    public int Worker { get; }

    /// <summary>What it said of itself.</summary>
    public Join Join { get; }

    /// <summary>Where its peers reach it.</summary>
    public string Address { get; }

    /// <summary>The address of this machine that it has connected to; null if that is not known.</summary>
    public IPAddress? ReachedAt { get; init; }

    /// <summary>
    /// Where a peer reaches it. Workers that the coordinator has started are where the coordinator is: others reach them at the address
    /// by which they have reached it.
    /// </summary>
    /// <param name="peer">The peer.</param>
    public string AddressFor(MemberSession peer) =>
        Join.LocalNumber > 0 && peer is { Join.LocalNumber: 0, ReachedAt: { } here } && !IPAddress.IsLoopback(here)
            ? new UriBuilder(Address) { Host = here.ToString() }.Uri.ToString()
            : Address;

    /// <summary>Its name, as in <c>worker 2</c>.</summary>
    public string Name => $"worker {Worker}";

    /// <summary>Its name with what is needed to find it.</summary>
    public string FullName => $"{Name} ({Join.Host}, process {Join.ProcessId})";

    /// <summary>What it did last in an earlier session.</summary>
    public IReadOnlyList<StepReport> Completed { get; set; } = [];

    /// <summary>Where it is in its life.</summary>
    public SessionState State { get; private set; }

    /// <summary>Whether it is needed, or will be: what it says matters, and it can be sent to.</summary>
    public bool IsOpen => State is SessionState.Preparing or SessionState.Ready;

    /// <summary>Whether it was let go in order, rather than lost.</summary>
    public bool IsReleased => State is SessionState.Released or SessionState.Departed;

    /// <summary>Whether it had to go.</summary>
    public bool IsExpelled => State is SessionState.Expelled or SessionState.TurnedAway;

    /// <summary>Whether its replica has been built, whatever has become of it since.</summary>
    public bool HasBeenReady { get; private set; }

    /// <summary>Whether it holds the run's dataset.</summary>
    public bool HoldsDataset { get; private set; }

    /// <summary>
    /// Whether nothing is sent to it any more. Beside its state, since it is noticed on another thread: that the session has ended is told
    /// soon. Any thread may ask.
    /// </summary>
    public bool HasEnded
    {
        get => Volatile.Read(ref _hasEnded);
        private set => Volatile.Write(ref _hasEnded, value);
    }

    /// <summary>When it was last heard, as a timestamp of the control loop's <see cref="LivedTime"/>.</summary>
    public long LastHeard { get; set; }

    /// <summary>The step that it was last heard in.</summary>
    public long Step { get; set; }

    /// <summary>What it was doing then.</summary>
    public Phase Phase { get; set; }

    /// <summary>How much it had done by then, by a measure of its own that rises as long as something goes on.</summary>
    public ulong Progress { get; set; }

    /// <summary>The member that it waited for then; empty where it waited for none.</summary>
    public string WaitsFor { get; set; } = "";

    /// <summary>The SHA-256 of its weights at the end of the run.</summary>
    public string? WeightsSha256 { get; set; }

    /// <summary>Whether messages to it are still queued.</summary>
    public bool HasUnsent => _queue.Reader.Count > 0;

    /// <summary>Queues a message.</summary>
    /// <returns>False if the worker does not read, or has gone.</returns>
    public bool Send(CoordinatorMessage message) => _queue.Writer.TryWrite(message);

    /// <summary>Its replica is built.</summary>
    /// <param name="holdsDataset">Whether it holds the run's dataset.</param>
    public void BecomeReady(bool holdsDataset)
    {
        Become(SessionState.Ready);
        (HasBeenReady, HoldsDataset) = (true, holdsDataset);
    }

    /// <summary>Dismisses the worker; nothing is sent after this.</summary>
    /// <param name="message">The dismissal.</param>
    /// <param name="state">Whether it is released, turned away or expelled.</param>
    public void Dismiss(CoordinatorMessage message, SessionState state)
    {
        Become(state);
        Send(message);
        _queue.Writer.TryComplete();
    }

    /// <summary>Its session or its process has ended, which may be told more than once.</summary>
    public void End()
    {
        if (IsOpen)
            Become(SessionState.Lost);
        else if (State == SessionState.Released)
            Become(SessionState.Departed);
    }

    /// <summary>Sends what is queued until the worker is dismissed or the call ends.</summary>
    public async Task SendLoopAsync(IServerStreamWriter<CoordinatorMessage> outgoing, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in _queue.Reader.ReadAllAsync(cancellationToken))
                await outgoing.WriteAsync(message, cancellationToken);
        }
        finally
        {
            HasEnded = true;
            _queue.Writer.TryComplete();
        }
    }

    private void Become(SessionState state)
    {
        if (!State.CanBecome(state))
            throw new InvalidOperationException($"{Name} cannot become {state}: it is {State}.");
        State = state;
    }
}
