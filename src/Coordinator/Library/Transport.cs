namespace Distributed.Cluster;

/// <summary>How gradients travel between workers.</summary>
public enum Transport
{
    /// <summary>The fastest that all workers can use.</summary>
    Auto = 0,

    /// <summary>Shared memory, between workers of one machine.</summary>
    Shm,

    /// <summary>Raw streams over TCP, or a Unix domain socket inside a host.</summary>
    Tcp,

    /// <summary>Streaming calls over HTTP/2.</summary>
    Grpc,
}
