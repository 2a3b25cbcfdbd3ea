using System.Net;
using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>Wakes a thread that waits for sockets: it waits for this one, too, to which what it sends comes back.</summary>
internal sealed class SocketWaker : IDisposable
{
    /// <summary>Finds a port of its own on loopback.</summary>
    public SocketWaker()
    {
        Socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Socket.Connect(Socket.LocalEndPoint!);
    }

    /// <summary>Can be read from when it is time to wake up.</summary>
    public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };

    /// <summary>Wakes the thread.</summary>
    public void Wake()
    {
        try
        {
            Socket.Send([0], SocketFlags.None, out _); // if it does not fit, as many are there that wake it
        }
        catch (ObjectDisposedException)
        {
            // Nobody is left to wake.
        }
    }

    /// <summary>Takes one call to wake up away.</summary>
    public void Rest()
    {
        Span<byte> ring = stackalloc byte[1];
        Socket.Receive(ring, SocketFlags.None, out _);
    }

    /// <inheritdoc />
    public void Dispose() => Socket.Dispose();
}
