using System.Net;
using Distributed.Coordinator.Cluster.Hosting;
using Grpc.Core;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class SessionServiceTests
{
    [Theory]
    [InlineData("http://0.0.0.0:5001", "10.0.0.7", "http://10.0.0.7:5001/")]
    [InlineData("http://0.0.0.0:5001", "::ffff:10.0.0.7", "http://10.0.0.7:5001/")]
    [InlineData("http://[::]:5001", "fd00::7", "http://[fd00::7]:5001/")]
    [InlineData("http://0.0.0.0:5001", "127.0.0.1", "http://127.0.0.1:5001/")]
    [InlineData("http://10.0.0.9:5001", "10.0.0.7", null)]
    [InlineData("http://node7:5001", "10.0.0.7", null)]
    [InlineData("http://127.0.0.1:5001", "127.0.0.1", null)]
    [InlineData("http://127.0.0.1:5001", "::1", null)]
    public void AWorkerIsReachedWhereItSaysOrWhereItComesFrom(string said, string remote, string? reached) =>
        Assert.Equal(reached, SessionService.ReachableAddress(new Uri(said), IPAddress.Parse(remote)));

    [Theory]
    [InlineData("http://127.0.0.1:5001")]
    [InlineData("http://127.1.2.3:5001")]
    [InlineData("http://localhost:5001")]
    [InlineData("http://[::1]:5001")]
    public void AWorkerOfAnotherMachineThatOnlyItsOwnCanReachIsRefused(string said)
    {
        var refusal = Assert.Throws<RpcException>(() => SessionService.ReachableAddress(new Uri(said), IPAddress.Parse("10.0.0.7")));
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains("--advertise", refusal.Status.Detail, StringComparison.Ordinal);
    }
}
