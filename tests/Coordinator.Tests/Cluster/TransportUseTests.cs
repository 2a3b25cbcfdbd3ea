using Distributed.Coordinator.Cluster.Control;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What is told of how gradients travelled.</summary>
public sealed class TransportUseTests
{
    [Theory]
    [InlineData(0, 0, "none")]
    [InlineData(2, 0, "shm")]
    [InlineData(0, 2, "grpc")]
    [InlineData(1, 1, "mixed")]
    public void The_name_covers_all_pairs(int memoryPeers, int framePeers, string name)
    {
        var use = new TransportUse();
        use.Add("worker 1", new ViewOpened { MemoryPeers = memoryPeers, FramePeers = framePeers });
        Assert.Equal(name, use.Name);
    }

    [Fact]
    public void The_views_of_a_run_count_together()
    {
        var use = new TransportUse();
        use.Add("worker 1", new ViewOpened { MemoryPeers = 1 });
        use.Add("worker 1", new ViewOpened { FramePeers = 1 });
        Assert.Equal("mixed", use.Name);
    }

    [Fact]
    public void A_fallback_is_told_once()
    {
        var use = new TransportUse();
        var refused = new ViewOpened { FramePeers = 1, Refusal = "worker 2: another host" };
        Assert.Equal(
            "worker 1 exchanges gradients over gRPC, since it shares no memory with worker 2: another host; --transport grpc asks for no more",
            use.Add("worker 1", refused)
        );
        Assert.Null(use.Add("worker 2", refused));
    }

    [Fact]
    public void No_fallback_is_told_where_gRPC_was_wanted() =>
        Assert.Null(new TransportUse().Add("worker 1", new ViewOpened { FramePeers = 1 }));
}
