using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What is told of how gradients travelled.</summary>
public sealed class TransportUseTests
{
    [Theory]
    [InlineData(0, 0, 0, "none")]
    [InlineData(2, 0, 0, "shm")]
    [InlineData(0, 2, 0, "tcp")]
    [InlineData(0, 0, 1, "grpc")]
    [InlineData(1, 1, 0, "mixed")]
    [InlineData(0, 1, 1, "mixed")]
    public void The_name_covers_all_pairs(int memoryPeers, int streamPeers, int callPeers, string name)
    {
        var use = new TransportUse();
        var opened = new ViewOpened
        {
            MemoryPeers = memoryPeers,
            StreamPeers = streamPeers,
            CallPeers = callPeers,
        };
        use.Add("worker 1", opened);
        Assert.Equal(name, use.Name);
    }

    [Fact]
    public void The_views_of_a_run_count_together()
    {
        var use = new TransportUse();
        use.Add("worker 1", new ViewOpened { MemoryPeers = 1 });
        use.Add("worker 1", new ViewOpened { StreamPeers = 1 });
        Assert.Equal("mixed", use.Name);
    }

    [Theory]
    [InlineData(1, 0, "tcp")]
    [InlineData(0, 1, "grpc")]
    public void A_fallback_is_told_once(int streamPeers, int callPeers, string way)
    {
        var use = new TransportUse();
        var refused = new ViewOpened
        {
            StreamPeers = streamPeers,
            CallPeers = callPeers,
            Refusal = "worker 2: another host",
        };
        Assert.Equal(
            $"worker 1 exchanges gradients over {way}, since no faster way leads to worker 2: another host; --transport {way} asks for no more",
            use.Add("worker 1", refused)
        );
        Assert.Null(use.Add("worker 2", refused));
    }

    [Fact]
    public void No_fallback_is_told_where_the_way_was_wanted() =>
        Assert.Null(new TransportUse().Add("worker 1", new ViewOpened { CallPeers = 1 }));
}
