using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>
/// One row of a register tile: two vectors of accumulators, of which the second exists only if <typeparamref name="TVectors"/> is 2.
/// The methods return the new row, so that rows stay local variables and thereby registers.
/// </summary>
internal unsafe struct TileRow<TLanes, TVector, TVectors>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TVectors : struct, IConstant
{
    private TVector _left;
    private TVector _right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TileRow<TLanes, TVector, TVectors> Load(float* source)
    {
        TileRow<TLanes, TVector, TVectors> row = default;
        row._left = TLanes.Load(source);
        if (TVectors.Value > 1)
            row._right = TLanes.Load(source + TLanes.Count);
        return row;
    }

    /// <summary>This row plus <paramref name="factor"/> times <paramref name="other"/>: one link of each chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TVectors> Plus(float factor, in TileRow<TLanes, TVector, TVectors> other)
    {
        TileRow<TLanes, TVector, TVectors> row = default;
        TVector broadcast = TLanes.Broadcast(factor);
        row._left = TLanes.FusedMultiplyAdd(broadcast, other._left, _left);
        if (TVectors.Value > 1)
            row._right = TLanes.FusedMultiplyAdd(broadcast, other._right, _right);
        return row;
    }

    /// <summary>A partial sum over earlier rows plus this one: one node of the summation tree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TVectors> After(float* earlier)
    {
        TileRow<TLanes, TVector, TVectors> row = default;
        row._left = TLanes.Add(TLanes.Load(earlier), _left);
        if (TVectors.Value > 1)
            row._right = TLanes.Add(TLanes.Load(earlier + TLanes.Count), _right);
        return row;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* destination)
    {
        TLanes.Store(_left, destination);
        if (TVectors.Value > 1)
            TLanes.Store(_right, destination + TLanes.Count);
    }
}
