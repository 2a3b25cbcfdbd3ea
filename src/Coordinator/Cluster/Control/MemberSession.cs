using System.Threading.Channels;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Control;

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

    /// <summary>Its name, as in <c>worker 2</c>.</summary>
    public string Name => $"worker {Worker}";

    /// <summary>Its name with what is needed to find it.</summary>
    public string FullName => $"{Name} ({Join.Host}, process {Join.ProcessId})";

    /// <summary>Whether its replica is built.</summary>
    public bool IsReady { get; set; }

    /// <summary>Whether it holds the run's dataset.</summary>
    public bool HoldsDataset { get; set; }

    /// <summary>Whether it has asked to leave.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Whether it has been dismissed; nothing that it does matters any more.</summary>
    public bool IsDismissed { get; private set; }

    /// <summary>When it was last heard, as a timestamp of the control loop's <see cref="LivedTime"/>.</summary>
    public long LastHeard { get; set; }

    /// <summary>The step that it was last heard in.</summary>
    public long Step { get; set; }

    /// <summary>What it was doing then.</summary>
    public Phase Phase { get; set; }

    /// <summary>The SHA-256 of its weights at the end of the run.</summary>
    public string? WeightsSha256 { get; set; }

    /// <summary>Queues a message.</summary>
    /// <returns>False if the worker does not read, or has gone.</returns>
    public bool Send(CoordinatorMessage message) => _queue.Writer.TryWrite(message);

    /// <summary>Dismisses the worker; nothing is sent after this.</summary>
    /// <param name="message">The dismissal.</param>
    public void Dismiss(CoordinatorMessage message)
    {
        IsDismissed = true;
        Send(message);
        _queue.Writer.TryComplete();
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
            _queue.Writer.TryComplete();
        }
    }
}
