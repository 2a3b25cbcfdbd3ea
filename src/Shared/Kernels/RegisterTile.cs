using System.Numerics;
using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>What one call of a register tile works on.</summary>
internal unsafe struct TileOperands
{
    /// <summary>[depth][rows]: a packed panel of the left operand.</summary>
    public float* Left;

    /// <summary>The right operand from the tile's first column on: a packed panel, or the matrix itself.</summary>
    public float* Right;

    /// <summary>Floats from one row of the right operand to the next.</summary>
    public nint RightStride;

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
            TileRow<TLanes, TVector, TRows, TVectors> r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
            TileRow<TLanes, TVector, TRows, TVectors> r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
            float* c = operands.Destination;
            nint stride = operands.Stride;
            if (operands.Resume && chain == 0)
            {
                r0 = r0.Load(0, c, stride);
                r1 = r1.Load(1, c, stride);
                r2 = r2.Load(2, c, stride);
                r3 = r3.Load(3, c, stride);
                r4 = r4.Load(4, c, stride);
                r5 = r5.Load(5, c, stride);
                r6 = r6.Load(6, c, stride);
                r7 = r7.Load(7, c, stride);
                r8 = r8.Load(8, c, stride);
                r9 = r9.Load(9, c, stride);
                r10 = r10.Load(10, c, stride);
                r11 = r11.Load(11, c, stride);
            }

            nint rightStride = operands.RightStride;
            for (int k = chain < operands.Last ? operands.Depth : operands.LastDepth; k > 0; k--)
            {
                TileRow<TLanes, TVector, TRows, TVectors> right = default;
                right = right.Load(0, b, 0);
                r0 = r0.Plus(0, a, right);
                r1 = r1.Plus(1, a, right);
                r2 = r2.Plus(2, a, right);
                r3 = r3.Plus(3, a, right);
                r4 = r4.Plus(4, a, right);
                r5 = r5.Plus(5, a, right);
                r6 = r6.Plus(6, a, right);
                r7 = r7.Plus(7, a, right);
                r8 = r8.Plus(8, a, right);
                r9 = r9.Plus(9, a, right);
                r10 = r10.Plus(10, a, right);
                r11 = r11.Plus(11, a, right);
                a += TRows.Value;
                b += rightStride;
            }

            int merges = chain < operands.Last ? BitOperations.TrailingZeroCount(~chain) : BitOperations.PopCount((uint)chain);
            for (; merges > 0; merges--)
            {
                top -= SlotLength;
                r0 = r0.After(0, top, PackedMatrix.PanelColumns);
                r1 = r1.After(1, top, PackedMatrix.PanelColumns);
                r2 = r2.After(2, top, PackedMatrix.PanelColumns);
                r3 = r3.After(3, top, PackedMatrix.PanelColumns);
                r4 = r4.After(4, top, PackedMatrix.PanelColumns);
                r5 = r5.After(5, top, PackedMatrix.PanelColumns);
                r6 = r6.After(6, top, PackedMatrix.PanelColumns);
                r7 = r7.After(7, top, PackedMatrix.PanelColumns);
                r8 = r8.After(8, top, PackedMatrix.PanelColumns);
                r9 = r9.After(9, top, PackedMatrix.PanelColumns);
                r10 = r10.After(10, top, PackedMatrix.PanelColumns);
                r11 = r11.After(11, top, PackedMatrix.PanelColumns);
            }

            if (chain < operands.Last)
            {
                c = top;
                stride = PackedMatrix.PanelColumns;
                top += SlotLength;
            }

            r0.Store(0, c, stride);
            r1.Store(1, c, stride);
            r2.Store(2, c, stride);
            r3.Store(3, c, stride);
            r4.Store(4, c, stride);
            r5.Store(5, c, stride);
            r6.Store(6, c, stride);
            r7.Store(7, c, stride);
            r8.Store(8, c, stride);
            r9.Store(9, c, stride);
            r10.Store(10, c, stride);
            r11.Store(11, c, stride);
        }
    }
}
