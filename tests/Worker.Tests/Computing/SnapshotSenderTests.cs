using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Computing;
using Grpc.Core;
using Xunit;

namespace Distributed.Worker.Tests.Computing;

public sealed class SnapshotSenderTests
{
    private static readonly TensorFrame Header = new() { Run = 1, Step = 4 };

    // Nothing else may happen after the last snapshot: the coordinator would wait for it without end.
    [Fact]
    public async Task A_snapshot_that_cannot_be_sent_is_told_without_being_asked_for()
    {
        var lost = new RpcException(new Status(StatusCode.Unavailable, "gone"));
        var told = new TaskCompletionSource<(long, Exception)>();
        var sender = new SnapshotSender(new Tensors.TensorsClient(new Unreachable(lost)), (step, exception) =>
            told.SetResult((step, exception))
        );

        await sender.TakeAsync(new TrainingState(5, 0), Header, CancellationToken.None);
        Assert.Equal((4, lost), await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        await sender.FlushAsync();
    }

    private sealed class Unreachable(Exception lost) : CallInvoker
    {
        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options
        ) => throw lost;

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options,
            TRequest request
        ) => throw new NotSupportedException();

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options,
            TRequest request
        ) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options,
            TRequest request
        ) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options
        ) => throw new NotSupportedException();
    }
}
