using System.Numerics;
using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>What one call of a register tile works on.</summary>
internal unsafe struct TileOperands
{
    /// <summary>[depth][rows]: a packed panel of the left operand.</summary>
    public float* Left;

    /// <summary>[depth][32]: a packed panel of the right operand, from the tile's first column on.</summary>
    public float* Right;

    /// <summary>Links of each chain.</summary>
    public int Depth;

    /// <summary>Links of the last chain.</summary>
    public int LastDepth;

    /// <summary>Index of the last chain: a tile of a plain product has one, with index 0.</summary>
    public int Last;

    /// <summary>Whether the first chain goes on from what the destination holds; otherwise each starts from +0.</summary>
    public bool Resume;

    /// <summary>
    /// Where sums over earlier chains rest until they are merged: log2(chains) + 1 tiles of <see cref="RegisterTile.SlotLength"/> floats, in rows of 32.
    /// </summary>
    public float* Partials;

    /// <summary>The tile's first element, overwritten.</summary>
    public float* Destination;

    /// <summary>Floats from one row of the destination to the next.</summary>
    public nint Stride;
}

/// <summary>
/// The innermost kernel of a matrix product: a tile of rows x (1 or 2 vectors) whose accumulators stay in registers. For each k it loads one row of the
/// right panel and broadcasts one element per row of the left panel (Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008).
/// </summary>
internal static unsafe class RegisterTile
{
    /// <summary>Rows of the largest tile: 12 x 2 accumulators leave 8 of 32 registers for operands.</summary>
    public const int MaxRows = 12;

    /// <summary>Floats of a finished tile in memory.</summary>
    public const int SlotLength = MaxRows * PackedMatrix.PanelColumns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compute<TLanes, TVector, TRows, TVectors>(in TileOperands operands)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
    {
        float* a = operands.Left;
        float* b = operands.Right;
        float* top = operands.Partials;
        for (int chain = 0; chain <= operands.Last; chain++)
        {
            TileRow<TLanes, TVector, TVectors> r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
            TileRow<TLanes, TVector, TVectors> r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
            float* c = operands.Destination;
            nint stride = operands.Stride;
            if (operands.Resume && chain == 0)
            {
                r0 = TileRow<TLanes, TVector, TVectors>.Load(c + (0 * stride));
                r1 = TileRow<TLanes, TVector, TVectors>.Load(c + (1 * stride));
                if (TRows.Value > 2)
                {
                    r2 = TileRow<TLanes, TVector, TVectors>.Load(c + (2 * stride));
                    r3 = TileRow<TLanes, TVector, TVectors>.Load(c + (3 * stride));
                }
                if (TRows.Value > 4)
                {
                    r4 = TileRow<TLanes, TVector, TVectors>.Load(c + (4 * stride));
                    r5 = TileRow<TLanes, TVector, TVectors>.Load(c + (5 * stride));
                }
                if (TRows.Value > 6)
                {
                    r6 = TileRow<TLanes, TVector, TVectors>.Load(c + (6 * stride));
                    r7 = TileRow<TLanes, TVector, TVectors>.Load(c + (7 * stride));
                }
                if (TRows.Value > 8)
                {
                    r8 = TileRow<TLanes, TVector, TVectors>.Load(c + (8 * stride));
                    r9 = TileRow<TLanes, TVector, TVectors>.Load(c + (9 * stride));
                }
                if (TRows.Value > 10)
                {
                    r10 = TileRow<TLanes, TVector, TVectors>.Load(c + (10 * stride));
                    r11 = TileRow<TLanes, TVector, TVectors>.Load(c + (11 * stride));
                }
            }

            for (int k = chain < operands.Last ? operands.Depth : operands.LastDepth; k > 0; k--)
            {
                var right = TileRow<TLanes, TVector, TVectors>.Load(b);
                r0 = r0.Plus(a[0], right);
                r1 = r1.Plus(a[1], right);
                if (TRows.Value > 2)
                {
                    r2 = r2.Plus(a[2], right);
                    r3 = r3.Plus(a[3], right);
                }
                if (TRows.Value > 4)
                {
                    r4 = r4.Plus(a[4], right);
                    r5 = r5.Plus(a[5], right);
                }
                if (TRows.Value > 6)
                {
                    r6 = r6.Plus(a[6], right);
                    r7 = r7.Plus(a[7], right);
                }
                if (TRows.Value > 8)
                {
                    r8 = r8.Plus(a[8], right);
                    r9 = r9.Plus(a[9], right);
                }
                if (TRows.Value > 10)
                {
                    r10 = r10.Plus(a[10], right);
                    r11 = r11.Plus(a[11], right);
                }
                a += TRows.Value;
                b += PackedMatrix.PanelColumns;
            }

            for (int merge = chain < operands.Last ? BitOperations.TrailingZeroCount(~chain) : BitOperations.PopCount((uint)chain); merge > 0; merge--)
            {
                top -= SlotLength;
                r0 = r0.After(top + (0 * PackedMatrix.PanelColumns));
                r1 = r1.After(top + (1 * PackedMatrix.PanelColumns));
                if (TRows.Value > 2)
                {
                    r2 = r2.After(top + (2 * PackedMatrix.PanelColumns));
                    r3 = r3.After(top + (3 * PackedMatrix.PanelColumns));
                }
                if (TRows.Value > 4)
                {
                    r4 = r4.After(top + (4 * PackedMatrix.PanelColumns));
                    r5 = r5.After(top + (5 * PackedMatrix.PanelColumns));
                }
                if (TRows.Value > 6)
                {
                    r6 = r6.After(top + (6 * PackedMatrix.PanelColumns));
                    r7 = r7.After(top + (7 * PackedMatrix.PanelColumns));
                }
                if (TRows.Value > 8)
                {
                    r8 = r8.After(top + (8 * PackedMatrix.PanelColumns));
                    r9 = r9.After(top + (9 * PackedMatrix.PanelColumns));
                }
                if (TRows.Value > 10)
                {
                    r10 = r10.After(top + (10 * PackedMatrix.PanelColumns));
                    r11 = r11.After(top + (11 * PackedMatrix.PanelColumns));
                }
            }

            if (chain < operands.Last)
            {
                c = top;
                stride = PackedMatrix.PanelColumns;
                top += SlotLength;
            }

            r0.Store(c + (0 * stride));
            r1.Store(c + (1 * stride));
            if (TRows.Value > 2)
            {
                r2.Store(c + (2 * stride));
                r3.Store(c + (3 * stride));
            }
            if (TRows.Value > 4)
            {
                r4.Store(c + (4 * stride));
                r5.Store(c + (5 * stride));
            }
            if (TRows.Value > 6)
            {
                r6.Store(c + (6 * stride));
                r7.Store(c + (7 * stride));
            }
            if (TRows.Value > 8)
            {
                r8.Store(c + (8 * stride));
                r9.Store(c + (9 * stride));
            }
            if (TRows.Value > 10)
            {
                r10.Store(c + (10 * stride));
                r11.Store(c + (11 * stride));
            }
        }
    }
}
