using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>
/// One row of a <see cref="ConvolutionTile"/>: two vectors of accumulators, of which the second exists only if <typeparamref name="TVectors"/> is 2.
/// Each method does nothing for rows that the tile does not have; the tests of the row's index are decided by the compiler.
/// </summary>
internal unsafe struct ConvolutionRow<TLanes, TVector, TRows, TVectors>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TRows : struct, IConstant
    where TVectors : struct, IConstant
{
    private TVector _left;
    private TVector _right;

    /// <summary>The vectors at an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ConvolutionRow<TLanes, TVector, TRows, TVectors> Load(float* source)
    {
        ConvolutionRow<TLanes, TVector, TRows, TVectors> row = this;
        row._left = TLanes.Load(source);
        if (TVectors.Value > 1)
            row._right = TLanes.Load(source + TLanes.Count);
        return row;
    }

    /// <summary>What row <paramref name="index"/> of a tile in memory holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ConvolutionRow<TLanes, TVector, TRows, TVectors> Load(int index, float** rows) => index < TRows.Value ? Load(rows[index]) : this;

    /// <summary>This row plus a factor times <paramref name="other"/>: one link of each chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ConvolutionRow<TLanes, TVector, TRows, TVectors> Plus(
        int index, float* factor, in ConvolutionRow<TLanes, TVector, TRows, TVectors> other)
    {
        ConvolutionRow<TLanes, TVector, TRows, TVectors> row = this;
        if (index >= TRows.Value)
            return row;
        TVector broadcast = TLanes.Broadcast(*factor);
        row._left = TLanes.FusedMultiplyAdd(broadcast, other._left, _left);
        if (TVectors.Value > 1)
            row._right = TLanes.FusedMultiplyAdd(broadcast, other._right, _right);
        return row;
    }

    /// <summary>Overwrites row <paramref name="index"/> of a tile in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(int index, float** rows)
    {
        if (index >= TRows.Value)
            return;
        TLanes.Store(_left, rows[index]);
        if (TVectors.Value > 1)
            TLanes.Store(_right, rows[index] + TLanes.Count);
    }
}
