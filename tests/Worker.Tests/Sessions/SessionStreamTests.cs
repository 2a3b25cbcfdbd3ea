using System.Threading.Channels;
using Distributed.Protocol;
using Distributed.Worker.Sessions;
using Grpc.Core;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

public sealed class SessionStreamTests
{
    private readonly Call _call = new();

    // A call that is let go while messages are under way is reset, and the last report lost.
    [Fact]
    public async Task All_that_was_posted_is_sent_before_the_stream_ends_and_the_coordinator_ends_last()
    {
        await using var stream = new SessionStream(_call.Duplex);
        for (ulong step = 1; step <= 3; step++)
            stream.Post(new WorkerMessage { Step = step });
        var completing = stream.CompleteAsync(CancellationToken.None);
        Assert.False(_call.HasCompleted.IsCompleted);

        _call.Open.SetResult();
        await _call.HasCompleted;
        Assert.Equal([1UL, 2UL, 3UL], _call.Sent);
        Assert.False(completing.IsCompleted);
        Assert.False(_call.IsDisposed);

        _call.Replies.Writer.Complete();
        await completing;
    }

    [Fact]
    public async Task A_coordinator_that_breaks_off_after_the_last_message_does_no_harm()
    {
        await using var stream = new SessionStream(_call.Duplex);
        stream.Post(new WorkerMessage { Step = 7 });
        _call.Replies.Writer.Complete(new RpcException(new Status(StatusCode.Unavailable, "gone")));
        var completing = stream.CompleteAsync(CancellationToken.None);
        Assert.False(completing.IsCompleted);

        _call.Open.SetResult();
        await completing;
        Assert.Equal([7UL], _call.Sent);
    }

    // A heartbeat is due, or SIGTERM comes, while the coordinator closes its side.
    [Fact]
    public async Task What_is_posted_after_the_last_message_is_dropped()
    {
        await using var stream = new SessionStream(_call.Duplex);
        _call.Open.SetResult();
        var completing = stream.CompleteAsync(CancellationToken.None);
        await _call.HasCompleted;
        stream.Post(new WorkerMessage { Leave = new Leave() });

        _call.Replies.Writer.Complete();
        await completing;
        Assert.Empty(_call.Sent);
    }

    /// <summary>A call whose messages leave once it is opened, and whose replies are played.</summary>
    private sealed class Call : IClientStreamWriter<WorkerMessage>, IAsyncStreamReader<CoordinatorMessage>
    {
        private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public AsyncDuplexStreamingCall<WorkerMessage, CoordinatorMessage> Duplex =>
            new(this, this, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => IsDisposed = true);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Channel<CoordinatorMessage> Replies { get; } = Channel.CreateUnbounded<CoordinatorMessage>();

        public List<ulong> Sent { get; } = [];

        public Task HasCompleted => _completed.Task;

        public bool IsDisposed { get; private set; }

        public CoordinatorMessage Current { get; private set; } = new();

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(WorkerMessage message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(WorkerMessage message, CancellationToken cancellationToken)
        {
            await Open.Task.WaitAsync(cancellationToken);
            Sent.Add(message.Step);
        }

        public Task CompleteAsync()
        {
            _completed.SetResult();
            return Task.CompletedTask;
        }

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await Replies.Reader.WaitToReadAsync(cancellationToken))
                return false;
            Current = await Replies.Reader.ReadAsync(cancellationToken);
            return true;
        }
    }
}
