using System.Net.Sockets;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>Connects a raw stream to a member: inside the host by a Unix domain socket, otherwise by TCP.</summary>
internal static class StreamDialer
{
    /// <summary>Connects.</summary>
    /// <param name="address">Where the member listens.</param>
    /// <param name="localSocket">The name of its Unix domain socket; empty to use TCP.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    public static async Task<Socket> ConnectAsync(Uri address, string localSocket, CancellationToken cancellationToken)
    {
        if (await LocalSocket.ConnectAsync(localSocket, cancellationToken) is { } local)
            return local;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.DnsSafeHost, address.Port, cancellationToken);
            CongestionControl.Apply(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
