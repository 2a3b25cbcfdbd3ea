using Distributed.Model;

namespace Distributed.Collectives;

/// <summary>
/// A piece of the flat vector that is exchanged as a whole: the elements [<paramref name="Start"/>, <paramref name="End"/>).
/// </summary>
/// <param name="Start">The first element; a multiple of <see cref="SliceRange.Alignment"/>.</param>
/// <param name="End">One past the last element.</param>
internal readonly record struct Bucket(int Start, int End)
{
    /// <summary>The number of elements.</summary>
    public int Length => End - Start;
}

/// <summary>
/// Cuts the flat vector into buckets, in the order in which a backward pass completes them: from the last parameters to the
/// first. A pure function of the layout and the number of owners.
/// </summary>
internal static class Buckets
{
    /// <summary>
    /// Elements from which on the first bucket is closed: 1 MiB. It is small, so that the exchange begins early in the backward
    /// pass; much smaller ones cost more wake-ups than the time that they win.
    /// </summary>
    public const int FirstElements = 256 * 1024;

    /// <summary>
    /// Elements from which on any other bucket is closed, and of the pieces that a long one is cut into: 4 MiB, so that a bucket's
    /// slices are still in a core's caches when they are summed, sent and applied.
    /// </summary>
    public const int Elements = 1024 * 1024;

    /// <summary>
    /// Elements of a slice below which a message costs more than what it carries: buckets grow with the number of owners.
    /// </summary>
    public const int SmallestSlice = 4 * 1024;

    /// <summary>
    /// Cuts a vector between parameters, so that a bucket is complete when the layers in it are; a bucket of large layers is then cut
    /// into even pieces, which are completed together but travel one by one.
    /// </summary>
    /// <param name="layout">Where the parameters lie.</param>
    /// <param name="owners">How many owners a bucket is sliced over, at least 1.</param>
    /// <returns>Buckets that cover the vector, the last part of it first.</returns>
    public static IReadOnlyList<Bucket> Of(ParameterLayout layout, int owners)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(owners);
        var least = (int)Math.Min((long)owners * SmallestSlice, ParameterLayout.MaximumLength);
        var buckets = new List<Bucket>();
        var end = layout.Length;
        for (var index = layout.Parameters.Count - 1; index >= 0; index--)
        {
            var start = Align(layout.Parameters[index].Offset);
            if (index > 0 && end - start < Math.Max(buckets.Count == 0 ? FirstElements : Elements, least))
                continue;
            buckets.AddRange(Cut(new Bucket(start, end), Math.Max(Elements, least)));
            end = start;
        }

        return buckets;
    }

    private static IEnumerable<Bucket> Cut(Bucket bucket, int size)
    {
        var pieces = Math.Max(1, (int)Math.Round((double)bucket.Length / size));
        for (var piece = pieces - 1; piece >= 0; piece--)
        {
            var (start, end) = SliceRange.Of(bucket.Length, pieces, piece);
            yield return new Bucket(bucket.Start + start, bucket.Start + end);
        }
    }

    // Upwards: what a bucket leaves over belongs to the next one, which is completed later.
    private static int Align(int offset) => (offset + SliceRange.Alignment - 1) / SliceRange.Alignment * SliceRange.Alignment;
}
