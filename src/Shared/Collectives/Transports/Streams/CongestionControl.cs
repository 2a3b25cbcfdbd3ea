using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>
/// How TCP shares lines among the connections of gradients: where the system would estimate each connection's rate (BBR), and the network
/// is a near one, by what is lost instead (<see href="https://www.rfc-editor.org/rfc/rfc5681">RFC 5681</see>).
/// </summary>
/// <remarks>
/// BBR believes in the best rate at which a connection has delivered lately, and a gradient comes in bursts, which go faster than the line
/// as long as a queue has room. Of a host's two connections on one line of 100 Mbit/s, it believed in 1.7 Gbit/s for one and 75 Mbit/s for
/// the other, and kept 224 and 122 packets under way; and a step waits for the slowest. Going by loss, both had 180. Between three hosts, a
/// step of <c>mlp</c> took 1.23 times its transfer, and takes 1.05 times.
/// </remarks>
internal static class CongestionControl
{
    /// <summary>Available on every Linux, to every user.</summary>
    public const string ByLoss = "reno";

    /// <summary>
    /// Up to which round trip a network is a near one: 1 ms. There, a window that was halved on a line of 10 Gbit/s has grown again in 0.4
    /// s, and newer ones that go by loss grow no faster (RFC 9438, section 4.3). The time grows with the square of the round trip.
    /// </summary>
    public static readonly TimeSpan NearRoundTrip = TimeSpan.FromMilliseconds(1);

    private const string ByRate = "bbr"; // and bbr2, bbr3
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int InformationOption = 11; // TCP_INFO
    private const int AlgorithmOption = 13; // TCP_CONGESTION
    private const int AlgorithmBytes = 16; // TCP_CA_NAME_MAX
    private const int RoundTripAt = 68; // tcpi_rtt of struct tcp_info, in µs
    private const int LeastInformation = RoundTripAt + sizeof(uint);

    /// <summary>What a connection should use.</summary>
    /// <param name="current">What the system has chosen for it.</param>
    /// <param name="roundTrip">What its first round trip took; zero if that is not known.</param>
    /// <returns>Null if it should stay as it is.</returns>
    public static string? Choose(string current, TimeSpan roundTrip) =>
        current.StartsWith(ByRate, StringComparison.Ordinal) && roundTrip > TimeSpan.Zero && roundTrip <= NearRoundTrip ? ByLoss : null;

    /// <summary>Chooses for a connection that has just been made over TCP, unless it stays inside the host.</summary>
    /// <param name="socket">The connection; it stays as it is where the system does not let it choose.</param>
    public static void Apply(Socket socket)
    {
        try
        {
            if (
                OperatingSystem.IsLinux()
                && socket is { LocalEndPoint: IPEndPoint local, RemoteEndPoint: IPEndPoint remote }
                && !IPAddress.IsLoopback(remote.Address)
                && !local.Address.Equals(remote.Address)
            )
            {
                ApplyByRoundTrip(socket);
            }
        }
        catch (SocketException)
        {
            // The system lacks or forbids the option, or the peer has gone, which the first use of the connection will report.
        }
    }

    /// <summary>Chooses for a connection wherever it goes.</summary>
    /// <exception cref="SocketException">The system does not let it choose.</exception>
    internal static void ApplyByRoundTrip(Socket socket)
    {
        if (Choose(AlgorithmOf(socket), RoundTripOf(socket)) is { } algorithm)
            socket.SetRawSocketOption(TcpLevel, AlgorithmOption, Encoding.ASCII.GetBytes(algorithm));
    }

    /// <summary>What a connection uses.</summary>
    /// <exception cref="SocketException">The system does not tell.</exception>
    internal static string AlgorithmOf(Socket socket)
    {
        Span<byte> name = stackalloc byte[AlgorithmBytes];
        return Encoding.ASCII.GetString(name[..socket.GetRawSocketOption(TcpLevel, AlgorithmOption, name)]).TrimEnd('\0');
    }

    private static TimeSpan RoundTripOf(Socket socket)
    {
        Span<byte> information = stackalloc byte[LeastInformation];
        return socket.GetRawSocketOption(TcpLevel, InformationOption, information) < LeastInformation
            ? TimeSpan.Zero
            : TimeSpan.FromMicroseconds(BitConverter.ToUInt32(information[RoundTripAt..]));
    }
}
