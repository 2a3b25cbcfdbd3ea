using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Distributed.Protocol;

/// <summary>
/// The way to a process of the same host: where Linux offers it, a Unix domain socket beside a port on loopback. What passes through it
/// costs half of the processor time that it costs through TCP, whose work is for networks: 0.3 instead of 0.7 ms for 2.6 MiB in each
/// direction.
/// </summary>
/// <remarks>
/// The socket has no file: its name is an abstract one, which the system forgets with the last process that has it open. Anyone on the host
/// may take such a name, so one who connects looks whether it belongs to a process of the same user before anything is said.
/// </remarks>
public static partial class LocalSocket
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED: process, user, group

    /// <summary>
    /// Bytes that may be under way: enough that a sender seldom finds the way full, and small enough to stay in the caches.
    /// </summary>
    private const int SendBytes = 4 * 1024 * 1024;

    /// <summary>Listens beside a port.</summary>
    /// <param name="endpoint">Where TCP listens.</param>
    /// <returns>Null where there is no such socket to be had; TCP serves all then.</returns>
    public static Socket? Listen(EndPoint? endpoint)
    {
        if (!OperatingSystem.IsLinux() || endpoint is not IPEndPoint { Port: > 0 } bound)
            return null;
        var socket = Create();
        try
        {
            socket.Bind(Name(bound.Port));
            socket.Listen();
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Connects to a process of this host and user.</summary>
    /// <param name="host">The host that TCP would connect to.</param>
    /// <param name="port">The port.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// Null if TCP has to be used: the host is not a loopback address, or nobody of this user listens here beside the port.
    /// </returns>
    public static async ValueTask<Socket?> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux() || !IPAddress.TryParse(host, out var address) || !IPAddress.IsLoopback(address))
            return null;
        var socket = Create();
        try
        {
            await socket.ConnectAsync(Name(port), cancellationToken);
            if (IsOfThisUser(socket))
                return socket;
        }
        catch (SocketException)
        {
            // Nobody listens there.
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        socket.Dispose();
        return null;
    }

    private static Socket Create() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendBufferSize = SendBytes };

    private static UnixDomainSocketEndPoint Name(int port) =>
        new(string.Create(CultureInfo.InvariantCulture, $"\0distributed-trainer/{port}"));

    private static bool IsOfThisUser(Socket socket)
    {
        Span<int> credentials = stackalloc int[3];
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, MemoryMarshal.AsBytes(credentials)) == 3 * sizeof(int)
            && (uint)credentials[1] == EffectiveUser();
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
