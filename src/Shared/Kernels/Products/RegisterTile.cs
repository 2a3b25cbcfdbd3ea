using System.Numerics;
using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>What one call of a register tile works on.</summary>
internal unsafe struct TileOperands
{
    /// <summary>The left operand from the tile's first row on, laid out as the kernel's <see cref="ILeftOperand"/> says.</summary>
    public float* Left;

    /// <summary>Floats from one row of a row-major left operand to the next, or from one k of a panel to the next.</summary>
    public nint LeftStride;

    /// <summary>The right operand from the tile's first column on: a packed panel, or the matrix itself.</summary>
    public float* Right;

    /// <summary>Floats from one row of the right operand to the next.</summary>
    public nint RightStride;

    /// <summary>Terms of each chain.</summary>
    public int Depth;

    /// <summary>Terms of the last chain.</summary>
    public int LastDepth;

    /// <summary>Index of the last chain: a tile of a plain product has one, with index 0.</summary>
    public int Last;

    /// <summary>Whether the first chain goes on from what the destination holds; otherwise each starts from +0.</summary>
    public bool Resume;

    /// <summary>
    /// Where sums over earlier chains rest until they are merged: log2(chains) + 1 tiles of <see cref="RegisterTile.SlotLength"/> floats,
    /// in rows of 32.
    /// </summary>
    public float* Partials;

    /// <summary>The tile's first element, overwritten.</summary>
    public float* Destination;

    /// <summary>Floats from one row of the destination to the next.</summary>
    public nint Stride;

    /// <summary>What to request from memory meanwhile; by default nothing. Goes on where the last tile left it.</summary>
    public ReadAhead Ahead;
}

/// <summary>
/// The innermost kernel of a matrix product: a tile of rows x (1 or 2 vectors) whose accumulators stay in registers. For each k it loads
/// one row of the right panel and broadcasts one element per row of the left operand (Goto and van de Geijn, Anatomy of High-Performance
/// Matrix Multiplication, 2008).
/// </summary>
internal static unsafe class RegisterTile
{
    /// <summary>Rows of the largest tile: 12 x 2 accumulators leave 8 of 32 registers for operands.</summary>
    public const int MaxRows = 12;

    /// <summary>Columns of a packed panel, and of the widest tile: two 512-bit vectors of floats.</summary>
    public const int PanelColumns = 32;

    /// <summary>Floats of a finished tile in memory.</summary>
    public const int SlotLength = MaxRows * PanelColumns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compute<TLanes, TVector, TRows, TVectors, TLeft>(ref TileOperands operands)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
        where TLeft : struct, ILeftOperand
    {
        var b = operands.Right;
        var top = operands.Partials;
        nint leftStride = operands.LeftStride,
            step = TLeft.Step(leftStride);
        Fetch<TLanes, TVector, TRows, TVectors>(operands.Destination, operands.Stride);
        float* a0 = operands.Left,
            a3 = TLeft.Row(a0, 3, leftStride),
            a6 = TLeft.Row(a0, 6, leftStride),
            a9 = TLeft.Row(a0, 9, leftStride);
        for (var chain = 0; chain <= operands.Last; chain++)
        {
            TileRow<TLanes, TVector, TRows, TVectors> r0 = default,
                r1 = default,
                r2 = default,
                r3 = default,
                r4 = default,
                r5 = default;
            TileRow<TLanes, TVector, TRows, TVectors> r6 = default,
                r7 = default,
                r8 = default,
                r9 = default,
                r10 = default,
                r11 = default;
            var c = operands.Destination;
            var stride = operands.Stride;
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

            var rightStride = operands.RightStride;
            var aheadMask = operands.Ahead.Mask;
            for (var k = chain < operands.Last ? operands.Depth : operands.LastDepth; k > 0; k--)
            {
                if ((k & aheadMask) == 0)
                    operands.Ahead.Fetch();
                TileRow<TLanes, TVector, TRows, TVectors> right = default;
                right = right.Load(0, b, 0);
                r0 = r0.AddProduct(0, TLeft.Row(a0, 0, leftStride), right);
                r1 = r1.AddProduct(1, TLeft.Row(a0, 1, leftStride), right);
                r2 = r2.AddProduct(2, TLeft.Row(a0, 2, leftStride), right);
                r3 = r3.AddProduct(3, TLeft.Row(a3, 0, leftStride), right);
                r4 = r4.AddProduct(4, TLeft.Row(a3, 1, leftStride), right);
                r5 = r5.AddProduct(5, TLeft.Row(a3, 2, leftStride), right);
                r6 = r6.AddProduct(6, TLeft.Row(a6, 0, leftStride), right);
                r7 = r7.AddProduct(7, TLeft.Row(a6, 1, leftStride), right);
                r8 = r8.AddProduct(8, TLeft.Row(a6, 2, leftStride), right);
                r9 = r9.AddProduct(9, TLeft.Row(a9, 0, leftStride), right);
                r10 = r10.AddProduct(10, TLeft.Row(a9, 1, leftStride), right);
                r11 = r11.AddProduct(11, TLeft.Row(a9, 2, leftStride), right);
                a0 += step;
                if (TRows.Value > 3)
                    a3 += step;
                if (TRows.Value > 6)
                    a6 += step;
                if (TRows.Value > 9)
                    a9 += step;
                b += rightStride;
            }

            var merges = chain < operands.Last ? BitOperations.TrailingZeroCount(~chain) : BitOperations.PopCount((uint)chain);
            for (; merges > 0; merges--)
            {
                top -= SlotLength;
                r0 = r0.After(0, top, PanelColumns);
                r1 = r1.After(1, top, PanelColumns);
                r2 = r2.After(2, top, PanelColumns);
                r3 = r3.After(3, top, PanelColumns);
                r4 = r4.After(4, top, PanelColumns);
                r5 = r5.After(5, top, PanelColumns);
                r6 = r6.After(6, top, PanelColumns);
                r7 = r7.After(7, top, PanelColumns);
                r8 = r8.After(8, top, PanelColumns);
                r9 = r9.After(9, top, PanelColumns);
                r10 = r10.After(10, top, PanelColumns);
                r11 = r11.After(11, top, PanelColumns);
            }

            if (chain < operands.Last)
            {
                c = top;
                stride = PanelColumns;
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

    /// <summary>
    /// Requests the destination's lines: otherwise the finished tile would wait for them, and with it what reads the tile next.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch<TLanes, TVector, TRows, TVectors>(float* destination, nint stride)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
    {
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(0, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(1, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(2, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(3, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(4, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(5, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(6, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(7, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(8, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(9, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(10, destination, stride);
        TileRow<TLanes, TVector, TRows, TVectors>.Fetch(11, destination, stride);
    }
}
