using System.Net;
using System.Net.Sockets;
using System.Text;
using Distributed.Collectives.Transports.Streams;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.Streams;

/// <summary>How TCP shares lines among the connections of gradients.</summary>
public sealed class CongestionControlTests
{
    private const int TcpLevel = 6;
    private const int AlgorithmOption = 13;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("bbr", 1, "reno")]
    [InlineData("bbr", 1_000, "reno")]
    [InlineData("bbr2", 200, "reno")]
    [InlineData("bbr", 1_001, null)]
    [InlineData("bbr", 80_000, null)]
    [InlineData("bbr", 0, null)]
    [InlineData("cubic", 200, null)]
    [InlineData("dctcp", 200, null)]
    [InlineData("reno", 200, null)]
    [InlineData("", 200, null)]
    public void Only_an_estimated_rate_on_a_near_network_is_given_up(string current, int microseconds, string? chosen) =>
        Assert.Equal(chosen, CongestionControl.Choose(current, TimeSpan.FromMicroseconds(microseconds)));

    // Where bbr is not to be had, both stay with what the system has chosen.
    [Fact]
    public async Task A_connections_first_round_trip_decides()
    {
        using var pair = await Pair.ConnectAsync(Token);
        var before = pair.UseIfAllowed("bbr");
        CongestionControl.ApplyByRoundTrip(pair.Near);
        Assert.Equal(before == "bbr" ? CongestionControl.ByLoss : before, CongestionControl.AlgorithmOf(pair.Near));
    }

    [Fact]
    public async Task Inside_a_host_nothing_changes()
    {
        using var pair = await Pair.ConnectAsync(Token);
        var before = pair.UseIfAllowed("bbr");
        CongestionControl.Apply(pair.Near);
        Assert.Equal(before, CongestionControl.AlgorithmOf(pair.Near));
    }

    [Fact]
    public void What_is_no_connection_over_TCP_is_left_alone()
    {
        using var unconnected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        CongestionControl.Apply(unconnected);
        CongestionControl.Apply(local);
    }

    private sealed record Pair(Socket Listener, Socket Near, Socket Far) : IDisposable
    {
        public static async Task<Pair> ConnectAsync(CancellationToken cancellationToken)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "the options are Linux's");
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await near.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
            return new Pair(listener, near, await listener.AcceptAsync(cancellationToken));
        }

        public string UseIfAllowed(string algorithm)
        {
            try
            {
                Near.SetRawSocketOption(TcpLevel, AlgorithmOption, Encoding.ASCII.GetBytes(algorithm));
            }
            catch (SocketException)
            {
                // It is not there, or kept for administrators.
            }

            return CongestionControl.AlgorithmOf(Near);
        }

        public void Dispose()
        {
            Near.Dispose();
            Far.Dispose();
            Listener.Dispose();
        }
    }
}
