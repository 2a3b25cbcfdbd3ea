using System.Numerics;
using System.Runtime.CompilerServices;

namespace Distributed.Kernels.Vectors;

/// <summary>
/// A walk over the cache lines of memory that is read when a tile is done, one line every few terms of its chains, so that the memory's
/// latency passes while the tile computes. The columns of a wide matrix lie pages apart, where no hardware prefetcher follows. All of the
/// walk lies in memory: a tile has no register to spare, and touches it rarely.
/// </summary>
internal unsafe struct ReadAhead
{
    private float* _next;
    private readonly nint _step;
    private readonly nint _turn;
    private readonly int _group;
    private int _leftInGroup;
    private int _left;
    private readonly int _termsPerLine;

    /// <summary>A walk along groups of lines.</summary>
    /// <param name="first">The first line.</param>
    /// <param name="group">Lines of a group.</param>
    /// <param name="step">Floats from one line of a group to the next.</param>
    /// <param name="groups">The number of groups.</param>
    /// <param name="groupStep">Floats from the first line of a group to that of the next.</param>
    /// <param name="terms">Terms of the chains during which to take the walk.</param>
    public ReadAhead(float* first, int group, nint step, int groups, nint groupStep, int terms)
    {
        _next = first;
        _step = step;
        _turn = groupStep - (group * step);
        _group = _leftInGroup = group;
        _left = group * groups;
        _termsPerLine = 1 << BitOperations.Log2((uint)Math.Max(1, terms / Math.Max(1, _left)));
    }

    /// <summary>The next line is due when none of these bits is set in the count of terms that remain; -1 where no line is left.</summary>
    public readonly int Mask => _left == 0 ? -1 : _termsPerLine - 1;

    /// <summary>Requests the next line, if any is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fetch()
    {
        if (_left == 0)
            return;
        _left--;
        CacheLine.Fetch(_next);
        _next += _step;
        if (--_leftInGroup > 0)
            return;
        _leftInGroup = _group;
        _next += _turn;
    }
}
