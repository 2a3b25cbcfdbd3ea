using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>Which transports a run has used, as the workers report for each view that they open.</summary>
internal sealed class TransportUse
{
    private readonly SortedSet<string> _used = [];

    /// <summary>
    /// <c>shm</c>, <c>tcp</c>, <c>grpc</c>, <c>mixed</c> where pairs of members differ, or <c>none</c> for a worker alone.
    /// </summary>
    public string Name =>
        _used.Count switch
        {
            0 => "none",
            1 => _used.Min!,
            _ => "mixed",
        };

    /// <summary>Why a pair of members does not use the fastest way, the first time that this is said, as a line; otherwise null.</summary>
    /// <param name="worker">The worker that tells.</param>
    /// <param name="opened">What it tells.</param>
    public string? Add(string worker, ViewOpened opened)
    {
        var way = opened.CallPeers > 0 ? "grpc" : "tcp";
        var isNew = opened.Refusal.Length > 0 && !_used.Contains(way);
        Use("shm", opened.MemoryPeers);
        Use("tcp", opened.StreamPeers);
        Use("grpc", opened.CallPeers);
        return isNew
            ? $"{worker} exchanges gradients over {way}, since no faster way leads to {opened.Refusal}; --transport {way} asks for no more"
            : null;
    }

    private void Use(string name, int peers)
    {
        if (peers > 0)
            _used.Add(name);
    }
}
