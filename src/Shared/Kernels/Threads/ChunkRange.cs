namespace Distributed.Kernels.Threads;

/// <summary>Static partitions: which contiguous range of a sequence a part covers.</summary>
internal static class ChunkRange
{
    /// <summary>
    /// The bounds of part <paramref name="part"/> when 0..<paramref name="length"/> is cut into <paramref name="parts"/> ranges that differ
    /// by at most one <paramref name="granule"/>, each of them starting at a multiple of it. Ranges may be empty.
    /// </summary>
    public static (int Start, int End) Of(int length, int granule, int part, int parts)
    {
        var granules = ((long)length + granule - 1) / granule;
        var start = granules * part / parts * granule;
        var end = granules * (part + 1) / parts * granule;
        return ((int)Math.Min(start, length), (int)Math.Min(end, length));
    }
}
