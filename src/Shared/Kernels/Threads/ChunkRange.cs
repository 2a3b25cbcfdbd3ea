namespace Distributed.Kernels.Threads;

/// <summary>Static scheduling: which contiguous range of a sequence a chunk covers.</summary>
internal static class ChunkRange
{
    /// <summary>
    /// The bounds of chunk <paramref name="chunk"/> when 0..<paramref name="length"/> is cut into <paramref name="chunks"/> ranges that
    /// differ by at most one <paramref name="granule"/>, each starting at a multiple of it. Ranges may be empty.
    /// </summary>
    public static (int Start, int End) Of(int length, int granule, int chunk, int chunks)
    {
        var granules = ((long)length + granule - 1) / granule;
        var start = granules * chunk / chunks * granule;
        var end = granules * (chunk + 1) / chunks * granule;
        return ((int)Math.Min(start, length), (int)Math.Min(end, length));
    }
}
