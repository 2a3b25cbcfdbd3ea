using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Distributed.Protocol;

/// <summary>
/// Chooses how TCP shares the line among a worker's connections: where the system would estimate each connection's rate, and the network is a near one, by
/// loss instead (<see href="https://www.rfc-editor.org/rfc/rfc5681">RFC 5681</see>).
/// </summary>
/// <remarks>
/// BBR takes the rate at which a connection delivered at best for the line's, and sends at it. A gradient comes in bursts, which switches let pass at first
/// faster than the line: one of two connections believed in 4 Gbit/s on a line of 100 Mbit/s and held 480 KB under way, the other in 95 Mbit/s with 200 KB, for whole
/// runs. A step waits for the slowest connection of all. Between three hosts, a step of <c>mlp</c> took 1.24 times its transfer at 100 Mbit/s and takes 1.05 times.
/// </remarks>
internal static class CongestionControl
{
    /// <summary>The one that every Linux has and allows everybody; up to <see cref="NearRoundTrip"/> the others that go by loss grow no faster (RFC 9438, section 4.3).</summary>
    public const string ByLoss = "reno";

    /// <summary>
    /// Up to which time of a round trip a network is a near one: 1 ms. There, a window that was halved on a line of 10 Gbit/s has grown again in 0.4 s, and one packet lost in 10,000
    /// still leaves 1.4 Gbit/s. Farther away that grows with the square of the time, and estimating the rate is what one wants.
    /// </summary>
    public static readonly TimeSpan NearRoundTrip = TimeSpan.FromMilliseconds(1);

    private const string ByRate = "bbr"; // and bbr2, bbr3
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int InformationOption = 11; // TCP_INFO
    private const int AlgorithmOption = 13; // TCP_CONGESTION
    private const int AlgorithmBytes = 16; // TCP_CA_NAME_MAX
    private const int RoundTripAt = 68; // in struct tcp_info: tcpi_rtt, in µs
    private const int LeastInformation = RoundTripAt + sizeof(uint);

    /// <summary>What a connection should use.</summary>
    /// <param name="current">What the system has chosen for it.</param>
    /// <param name="roundTrip">What its first round trip took; zero if that is not known.</param>
    /// <returns>Null if that is right.</returns>
    public static string? Choose(string current, TimeSpan roundTrip) =>
        current.StartsWith(ByRate, StringComparison.Ordinal) && roundTrip > TimeSpan.Zero && roundTrip <= NearRoundTrip ? ByLoss : null;

    /// <summary>Chooses for a connection that has just been made over TCP. It is as good as it was where the system does not let it choose.</summary>
    /// <param name="socket">The connection.</param>
    public static void Apply(Socket socket)
    {
        if (!OperatingSystem.IsLinux() || socket is not { LocalEndPoint: IPEndPoint local, RemoteEndPoint: IPEndPoint remote } || local.Address.Equals(remote.Address))
            return;
        Span<byte> name = stackalloc byte[AlgorithmBytes];
        Span<byte> information = stackalloc byte[LeastInformation];
        try
        {
            name = name[..socket.GetRawSocketOption(TcpLevel, AlgorithmOption, name)];
            if (socket.GetRawSocketOption(TcpLevel, InformationOption, information) < LeastInformation)
                return;
            var roundTrip = TimeSpan.FromMicroseconds(BinaryPrimitives.ReadUInt32LittleEndian(information[RoundTripAt..]));
            if (Choose(Encoding.ASCII.GetString(name).TrimEnd('\0'), roundTrip) is { } algorithm)
                socket.SetRawSocketOption(TcpLevel, AlgorithmOption, Encoding.ASCII.GetBytes(algorithm));
        }
        catch (SocketException)
        {
            // A system that does not know of them, or does not allow it.
        }
    }
}
