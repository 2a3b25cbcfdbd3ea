using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Distributed.Hosting;

/// <summary>
/// What a server listens on, from before there is a server: its address can be told at once, and who connects in between waits until it is accepted.
/// </summary>
internal sealed class ListeningPorts : IDisposable
{
    private readonly Dictionary<EndPoint, Socket> _sockets; // that no server has taken yet

    private ListeningPorts(Uri address, Dictionary<EndPoint, Socket> sockets) =>
        (Address, EndPoints, _sockets) = (address, [.. sockets.Keys.Cast<IPEndPoint>()], sockets);

    /// <summary>The address with the port that is in use.</summary>
    public Uri Address { get; }

    /// <summary>Its addresses and ports, one for each address of a name.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; }

    /// <summary>Begins to listen.</summary>
    /// <param name="listen">The address; port 0 lets the system choose.</param>
    /// <exception cref="InputException">The address cannot be listened on.</exception>
    public static ListeningPorts Open(Uri listen)
    {
        var sockets = new Dictionary<EndPoint, Socket>();
        try
        {
            foreach (var endpoint in ListenAddress.EndPointsOf(listen))
            {
                var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
                sockets.Add(socket.LocalEndPoint!, socket);
                socket.Listen();
            }
        }
        catch (SocketException exception)
        {
            foreach (var socket in sockets.Values)
                socket.Dispose();
            throw new InputException(
                $"--listen {listen}: cannot be listened on ({exception.Message.TrimEnd('.')}); choose another port, or 0 for a free one",
                exception
            );
        }

        var port = ((IPEndPoint)sockets.Keys.First()).Port;
        return new ListeningPorts(new UriBuilder(listen) { Port = port }.Uri, sockets);
    }

    /// <summary>Hands a socket over, once.</summary>
    /// <param name="endpoint">One of <see cref="EndPoints"/>.</param>
    public Socket Take(EndPoint endpoint) =>
        _sockets.Remove(endpoint, out var socket) ? socket : throw new InvalidOperationException($"{endpoint} is not listened on");

    /// <summary>Closes what no server has taken.</summary>
    public void Dispose()
    {
        foreach (var socket in _sockets.Values)
            socket.Dispose();
    }
}
