using System.Threading.Channels;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Sessions;

/// <summary>A worker's end of its session: messages are sent in order from a queue, heartbeats among them.</summary>
internal sealed class SessionStream : IAsyncDisposable
{
    // A worker is at most a window of steps ahead of what has been sent.
    private const int QueueLength = 1024;

    private readonly AsyncDuplexStreamingCall<WorkerMessage, CoordinatorMessage> _call;
    private readonly Channel<WorkerMessage> _queue = Channel.CreateBounded<WorkerMessage>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true }
    );
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _sending;
    private volatile bool _isClosing;

    /// <summary>Starts to send.</summary>
    /// <param name="call">The session's call.</param>
    public SessionStream(AsyncDuplexStreamingCall<WorkerMessage, CoordinatorMessage> call)
    {
        _call = call;
        _sending = SendAsync();
    }

    /// <summary>What the coordinator says.</summary>
    public IAsyncStreamReader<CoordinatorMessage> Incoming => _call.ResponseStream;

    /// <summary>Queues a message. A heartbeat or a request to leave after the last message is dropped.</summary>
    public void Post(WorkerMessage message)
    {
        if (!_queue.Writer.TryWrite(message) && !_isClosing)
            throw new InvalidOperationException("The session's queue is full: the coordinator takes no messages.");
    }

    /// <summary>Sends a heartbeat in every interval until the session ends.</summary>
    /// <param name="beat">Makes one.</param>
    public async Task BeatAsync(Func<WorkerMessage> beat)
    {
        using var timer = new PeriodicTimer(WireLimits.HeartbeatInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
                Post(beat());
        }
        catch (OperationCanceledException)
        {
            // The session has ended, and heartbeats with it.
        }
    }

    /// <summary>
    /// Sends what is queued, closes this worker's side, and waits until the coordinator has closed its own: a call that is
    /// disposed of earlier is reset, and the coordinator loses what it has not read yet, such as the last report.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        Close();
        await _sending;
        try
        {
            while (await _call.ResponseStream.MoveNext(cancellationToken))
            {
                // Nothing that follows a dismissal matters.
            }
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            // The coordinator has gone without a dismissal.
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Close();
        await _ended.CancelAsync();
        _call.Dispose();
        await Task.WhenAny(_sending);
        _ended.Dispose();
    }

    private void Close()
    {
        _isClosing = true;
        _queue.Writer.TryComplete();
    }

    private async Task SendAsync()
    {
        await foreach (var message in _queue.Reader.ReadAllAsync())
            await _call.RequestStream.WriteAsync(message, _ended.Token);
        await _call.RequestStream.CompleteAsync();
    }
}
