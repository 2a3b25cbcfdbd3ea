using System.Net;

namespace Distributed.Hosting;

/// <summary>What an address to listen on means.</summary>
internal static class ListenAddress
{
    /// <summary>
    /// Where a server listens for an address. A name stands for its own addresses and no others; port 0 gives each address another port, and
    /// only one can be told.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known.</exception>
    public static IEnumerable<IPEndPoint> EndPointsOf(Uri listen)
    {
        var addresses =
            IPAddress.TryParse(listen.DnsSafeHost, out var address) ? [address]
            : listen.IsLoopback ? [IPAddress.Loopback]
            : Dns.GetHostAddresses(listen.DnsSafeHost);
        return addresses.Take(listen.Port == 0 ? 1 : addresses.Length).Select(one => new IPEndPoint(one, listen.Port));
    }

    /// <summary>Whether an address is this machine's own.</summary>
    public static bool IsLoopback(Uri address) =>
        address.IsLoopback || (IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip));
}
