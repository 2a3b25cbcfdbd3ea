using System.Net.Sockets;
using Distributed.Protocol;
using Grpc.Core;
using Xunit;

namespace Distributed.Shared.Tests.Protocol;

public sealed class WireErrorsTests
{
    public static TheoryData<Exception, string> Causes =>
        new()
        {
            {
                new RpcException(new Status(StatusCode.Unauthenticated, "no")),
                "it refused the run token (is --token-file the same on both sides?)"
            },
            {
                new RpcException(
                    new Status(
                        StatusCode.Unavailable,
                        "",
                        new HttpRequestException("outer", new SocketException((int)SocketError.ConnectionRefused))
                    )
                ),
                "the connection was closed (Connection refused)"
            },
            { new RpcException(new Status(StatusCode.Cancelled, "")), "the connection was closed (the call was cancelled)" },
            { new RpcException(new Status(StatusCode.FailedPrecondition, "view 1.2 is over here")), "view 1.2 is over here" },
            { new RpcException(new Status(StatusCode.DataLoss, "")), "DataLoss" },
            { new IOException("reset"), "the connection was closed" },
            { new OperationCanceledException(), "the connection was closed" },
            { new InvalidDataException("worker 2 sent nonsense"), "worker 2 sent nonsense" },
        };

    [Theory]
    [MemberData(nameof(Causes))]
    public void An_error_of_the_wire_is_told_by_its_likely_cause(Exception exception, string cause) =>
        Assert.Equal(cause, WireErrors.Cause(exception));

    [Fact]
    public void Every_phase_has_a_name_of_its_own()
    {
        var names = Enum.GetValues<Phase>().Select(WireErrors.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
        Assert.All(Enum.GetValues<Phase>(), phase => Assert.NotEqual(phase.ToString(), WireErrors.Name(phase)));
    }

    [Fact]
    public void A_peers_failure_names_who_when_and_why()
    {
        var failure = new PeerFailureException("worker 2", 17, Phase.AllGather, "the connection was closed");
        Assert.Equal("worker 2 failed at step 17 in all-gather: the connection was closed", failure.Message);
        Assert.Equal(("worker 2", 17L, Phase.AllGather), (failure.Peer, failure.Step, failure.Phase));
    }
}
