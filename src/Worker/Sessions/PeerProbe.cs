using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Sessions;

/// <summary>Finds out whether another worker can be reached.</summary>
internal static class PeerProbe
{
    /// <summary>A peer that answers later than this is out of reach.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Dials a worker.</summary>
    /// <param name="address">Where it listens.</param>
    /// <param name="token">The run's token.</param>
    /// <returns>Why it cannot be reached; empty if it can.</returns>
    public static async Task<string> DialAsync(string address, RunToken? token)
    {
        try
        {
            using var connection = new Connection(address, token);
            await new Peers.PeersClient(connection.Calls).ReachAsync(new ReachRequest(), deadline: DateTime.UtcNow + Patience);
            return "";
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.DeadlineExceeded)
        {
            return $"no answer within {Patience.TotalSeconds:0} seconds";
        }
        catch (RpcException exception)
        {
            return WireErrors.Cause(exception);
        }
        catch (UriFormatException exception)
        {
            return exception.Message;
        }
    }
}
