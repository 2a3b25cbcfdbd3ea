using Distributed.Collectives.Transports.SharedMemory;
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
        var sender = new SnapshotSender(
            new Tensors.TensorsClient(new Coordinator(lost)),
            (step, exception) => told.SetResult((step, exception)),
            sharesMemory: false
        );

        await sender.TakeAsync(new TrainingState(5, 0), Header, CancellationToken.None);
        Assert.Equal((4, lost), await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        await sender.FlushAsync();
    }

    [Fact]
    public async Task A_coordinator_that_cannot_read_the_memory_gets_the_state_by_a_stream()
    {
        Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");
        var streamed = new RpcException(new Status(StatusCode.Unavailable, "the stream was tried"));
        var told = new TaskCompletionSource<(long, Exception)>();
        var coordinator = new Coordinator(streamed) { Refusal = "another host" };
        await using var sender = new SnapshotSender(
            new Tensors.TensorsClient(coordinator),
            (step, exception) => told.SetResult((step, exception)),
            sharesMemory: true
        );

        await sender.TakeAsync(new TrainingState(5, 1), Header, CancellationToken.None);
        Assert.Equal((4, streamed), await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal((1ul, 4ul), (coordinator.Offer!.Run, coordinator.Offer.Step));
        Assert.Equal(Environment.ProcessId, coordinator.Offer.Memory.ProcessId);
    }

    [Fact]
    public async Task A_state_that_was_read_in_place_is_not_sent()
    {
        Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");
        var coordinator = new Coordinator(new InvalidOperationException("the stream was tried"));
        await using var sender = new SnapshotSender(
            new Tensors.TensorsClient(coordinator),
            (_, exception) => throw exception,
            sharesMemory: true
        );

        await sender.TakeAsync(new TrainingState(5, 1), Header, CancellationToken.None);
        await sender.FlushAsync();
        Assert.NotNull(coordinator.Offer);
    }

    private sealed class Coordinator(Exception streaming) : CallInvoker
    {
        public string Refusal { get; init; } = "";

        public StateOffer? Offer { get; private set; }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options
        ) => throw streaming;

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method,
            string? host,
            CallOptions options,
            TRequest request
        )
        {
            Offer = (StateOffer)(object)request;
            return new AsyncUnaryCall<TResponse>(
                Task.FromResult((TResponse)(object)new StateAnswer { Refusal = Refusal }),
                Task.FromResult(Metadata.Empty),
                () => Status.DefaultSuccess,
                () => Metadata.Empty,
                () => { }
            );
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
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
