namespace Distributed.Data.Packs;

/// <summary>
/// Tells a file whose rows come from a disk from one that is in memory: reading ahead of that costs and brings nothing, so that only a piece
/// now and then is tried. Safe for concurrent use.
/// </summary>
internal sealed class ColdStart
{
    /// <summary>A row that takes longer has come from a disk.</summary>
    public static readonly TimeSpan LongestInMemory = TimeSpan.FromMicroseconds(20);

    /// <summary>Pieces in a row that were in memory before only some are tried.</summary>
    public const int PiecesToTrust = 64;

    /// <summary>One of so many is tried then.</summary>
    public const int Tried = 16;

    private int _inMemory; // pieces in a row
    private int _asked;

    /// <summary>Whether the next piece should be read ahead.</summary>
    public bool IsWorthwhile() => Volatile.Read(ref _inMemory) < PiecesToTrust || Interlocked.Increment(ref _asked) % Tried == 0;

    /// <summary>A piece was read.</summary>
    /// <param name="time">How long that took.</param>
    /// <param name="rows">Its rows.</param>
    public void Took(TimeSpan time, int rows)
    {
        if (time > LongestInMemory * rows)
            Volatile.Write(ref _inMemory, 0);
        else if (Volatile.Read(ref _inMemory) < PiecesToTrust)
            Interlocked.Increment(ref _inMemory);
    }
}
