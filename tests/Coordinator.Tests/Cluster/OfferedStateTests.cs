using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Hosting;
using Distributed.Protocol;
using Grpc.Core;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What cannot be read is refused in words, and no snapshot comes of it.</summary>
public sealed class OfferedStateTests
{
    private const ulong Run = 7;
    private readonly Channel<ClusterEvent> _events = Channel.CreateUnbounded<ClusterEvent>();

    [Fact]
    public async Task An_offer_without_memory_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => Service().ReadState(new StateOffer { Run = Run }, null!));

        Assert.Equal(new Status(StatusCode.InvalidArgument, "no memory is offered"), refusal.Status);
        Assert.False(_events.Reader.TryRead(out _));
    }

    [Fact]
    public async Task The_state_of_another_run_is_refused()
    {
        var offer = new StateOffer { Run = Run + 1, Memory = new MemoryOffer() };

        var refusal = await Assert.ThrowsAsync<RpcException>(() => Service().ReadState(offer, null!));

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.False(_events.Reader.TryRead(out _));
    }

    private CoordinatorTensorService Service() => new(new ViewDirectory(), new StateShape(Run, 4, []), _events.Writer);
}
