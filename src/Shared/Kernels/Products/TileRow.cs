using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// One row of a register tile: two vectors of accumulators, of which the second exists only if <typeparamref name="TVectors"/> is 2. Each
/// method returns the new row, so that rows stay local variables and thereby registers, and does nothing for rows that the tile does not
/// have: the tests of the row's index are decided by the compiler.
/// </summary>
internal unsafe struct TileRow<TLanes, TVector, TRows, TVectors>
    where TLanes : struct, ILanes<TVector>
    where TVector : unmanaged
    where TRows : struct, IConstant
    where TVectors : struct, IConstant
{
    private TVector _left;
    private TVector _right;

    /// <summary>What row <paramref name="index"/> of a matrix holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TRows, TVectors> Load(int index, float* matrix, nint stride)
    {
        var row = this;
        if (index >= TRows.Value)
            return row;
        row._left = TLanes.Load(matrix + (index * stride));
        if (TVectors.Value > 1)
            row._right = TLanes.Load(matrix + (index * stride) + TLanes.Count);
        return row;
    }

    /// <summary>This row plus a factor times <paramref name="other"/>: one term of each chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TRows, TVectors> AddProduct(
        int index,
        float* factor,
        in TileRow<TLanes, TVector, TRows, TVectors> other
    )
    {
        var row = this;
        if (index >= TRows.Value)
            return row;
        var broadcast = TLanes.Broadcast(*factor);
        row._left = TLanes.FusedMultiplyAdd(broadcast, other._left, _left);
        if (TVectors.Value > 1)
            row._right = TLanes.FusedMultiplyAdd(broadcast, other._right, _right);
        return row;
    }

    /// <summary>Row <paramref name="index"/> of a matrix of earlier sums, plus this one: one node of the summation tree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TRows, TVectors> After(int index, float* earlier, nint stride)
    {
        var row = this;
        if (index >= TRows.Value)
            return row;
        row._left = TLanes.Add(TLanes.Load(earlier + (index * stride)), _left);
        if (TVectors.Value > 1)
            row._right = TLanes.Add(TLanes.Load(earlier + (index * stride) + TLanes.Count), _right);
        return row;
    }

    /// <summary>An activation of this row plus <paramref name="addends"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TileRow<TLanes, TVector, TRows, TVectors> Activated<TActivation>(
        int index,
        in TileRow<TLanes, TVector, TRows, TVectors> addends
    )
        where TActivation : struct, IActivation
    {
        var row = this;
        if (index >= TRows.Value)
            return row;
        row._left = TActivation.Forward<TLanes, TVector>(TLanes.Add(_left, addends._left));
        if (TVectors.Value > 1)
            row._right = TActivation.Forward<TLanes, TVector>(TLanes.Add(_right, addends._right));
        return row;
    }

    /// <summary>Requests the lines of row <paramref name="index"/> of a matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(int index, float* matrix, nint stride)
    {
        if (index >= TRows.Value)
            return;
        CacheLine.Fetch(matrix + (index * stride));
        if (TVectors.Value * TLanes.Count > CacheLine.Length)
            CacheLine.Fetch(matrix + (index * stride) + CacheLine.Length);
    }

    /// <summary>Overwrites row <paramref name="index"/> of a matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(int index, float* matrix, nint stride)
    {
        if (index >= TRows.Value)
            return;
        TLanes.Store(_left, matrix + (index * stride));
        if (TVectors.Value > 1)
            TLanes.Store(_right, matrix + (index * stride) + TLanes.Count);
    }
}
