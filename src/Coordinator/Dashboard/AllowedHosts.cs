using System.Net;
using Distributed.Hosting;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// The hosts by which a browser may ask for the page. A page of another site can make a name of its own stand for this machine (DNS
/// rebinding), and would then read what is served here as its own: its requests carry that name.
/// </summary>
/// <param name="listen">Where the page is served.</param>
internal sealed class AllowedHosts(Uri listen)
{
    /// <summary>Whether a request names a host of this machine; the port may be that of a tunnel.</summary>
    /// <param name="host">The host without a port, as the request has it.</param>
    public bool Allows(string host)
    {
        var name = host.Trim('[', ']');
        var isAddress = IPAddress.TryParse(name, out var address);
        if (isAddress ? IPAddress.IsLoopback(address!) : Same(name, "localhost"))
            return true;
        if (!IPAddress.TryParse(listen.DnsSafeHost, out var own))
            return Same(name, listen.DnsSafeHost);
        // Where all addresses are listened at, no name decides which one was meant, so that an address cannot be rebound.
        return IsAny(own) ? isAddress || Same(name, Environment.MachineName) : isAddress && own.Equals(address);
    }

    /// <summary>Whether other machines can reach an address.</summary>
    public static bool IsOpen(Uri listen) => !ListenAddress.IsLoopback(listen);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
