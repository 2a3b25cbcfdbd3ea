namespace Distributed.Protocol;

/// <summary>Sizes and times of the wire, each with what chose it.</summary>
internal static class WireLimits
{
    /// <summary>
    /// Values in a tensor frame, in elements: 64 KiB, whose arrays stay out of the large object heap. Over loopback, two members reduced
    /// 2.7, 16 and 64 MiB in 16, 95 and 359 ms; in frames of 512 KiB, it took them 22, 107 and 464 ms.
    /// </summary>
    public const int FrameElements = 16 * 1024;

    /// <summary>The largest message that is accepted, in bytes: a frame and its header, or a shard, with room to spare.</summary>
    public const int MaximumMessageBytes = 4 * 1024 * 1024;

    /// <summary>Samples in one shard message, in bytes, unless a single sample is larger.</summary>
    public const int ShardBytes = 1024 * 1024;

    /// <summary>
    /// The HTTP/2 window of a stream and of a connection, in bytes: several frames, so that a sender never idles for an acknowledgement.
    /// </summary>
    public const int WindowBytes = 8 * 1024 * 1024;

    /// <summary>
    /// The largest HTTP/2 frame that a server takes, in bytes; the default of 16 KiB costs a header and a wake-up 32 times per tensor
    /// frame.
    /// </summary>
    public const int HttpFrameBytes = 1024 * 1024;

    /// <summary>How often each side of a session says that it is alive.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(500);
}
