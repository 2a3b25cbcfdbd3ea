using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>How gradients have travelled in a run, as the workers tell it for each view that they open.</summary>
internal sealed class TransportUse
{
    private bool _memory;
    private bool _frames;

    /// <summary><c>shm</c>, <c>grpc</c>, <c>mixed</c> where pairs of workers differ, or <c>none</c> for a worker alone.</summary>
    public string Name =>
        (_memory, _frames) switch
        {
            (true, true) => "mixed",
            (true, false) => "shm",
            (false, true) => "grpc",
            _ => "none",
        };

    /// <summary>Why two workers do not share memory, the first time that this is said, as a line for people; otherwise null.</summary>
    /// <param name="worker">The worker that tells.</param>
    /// <param name="opened">What it tells.</param>
    public string? Add(string worker, ViewOpened opened)
    {
        var isNews = opened.Refusal.Length > 0 && !_frames;
        _memory |= opened.MemoryPeers > 0;
        _frames |= opened.FramePeers > 0;
        return isNews
            ? $"{worker} exchanges gradients over gRPC, since it shares no memory with {opened.Refusal}; --transport grpc asks for no more"
            : null;
    }
}
