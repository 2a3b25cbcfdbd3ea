using System.Runtime.CompilerServices;
using Distributed.Kernels.Products;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// The innermost kernel of a convolution: a tile of rows x (1 or 2 vectors) whose accumulators stay in registers from the first term to the
/// last. The left operand is read where it lies, through one pointer for each row, so that an image is never copied into a matrix. Where
/// not all rows have a term, branches skip those without: a product with zero would turn -0 into +0 and an infinity into NaN.
/// </summary>
internal static unsafe class ConvolutionTile
{
    /// <summary>Floats of the widest vector: the granule of columns.</summary>
    public const int MaxLanes = 16;

    /// <summary>The kernel for tiles of so many rows and up to two vectors of columns.</summary>
    /// <typeparam name="TLanes">The vectors.</typeparam>
    /// <typeparam name="TVector">One vector.</typeparam>
    /// <typeparam name="TStrideKind">
    /// One for unit stride with all rows active in every run, as in products; two where consecutive factors lie
    /// <see cref="ConvolutionOperands.LeftStep"/> and <see cref="ConvolutionOperands.RightStep"/> apart and each run has a mask of the
    /// active rows, as in gradients of weights.
    /// </typeparam>
    /// <typeparam name="TActivation">What is applied after the bias, where there is one; a function that takes few registers.</typeparam>
    public static delegate* <in ConvolutionOperands, void> Kernel<TLanes, TVector, TStrideKind, TActivation>(int rows, int columns)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TStrideKind : struct, IConstant
        where TActivation : struct, IActivation =>
        columns > TLanes.Count
            ? Kernel<TLanes, TVector, Two, TStrideKind, TActivation>(rows)
            : Kernel<TLanes, TVector, One, TStrideKind, TActivation>(rows);

    private static delegate* <in ConvolutionOperands, void> Kernel<TLanes, TVector, TVectors, TStrideKind, TActivation>(int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant
        where TStrideKind : struct, IConstant
        where TActivation : struct, IActivation =>
        rows switch
        {
            12 => &Compute<TLanes, TVector, Twelve, TVectors, TStrideKind, TActivation>,
            11 => &Compute<TLanes, TVector, Eleven, TVectors, TStrideKind, TActivation>,
            10 => &Compute<TLanes, TVector, Ten, TVectors, TStrideKind, TActivation>,
            9 => &Compute<TLanes, TVector, Nine, TVectors, TStrideKind, TActivation>,
            8 => &Compute<TLanes, TVector, Eight, TVectors, TStrideKind, TActivation>,
            7 => &Compute<TLanes, TVector, Seven, TVectors, TStrideKind, TActivation>,
            6 => &Compute<TLanes, TVector, Six, TVectors, TStrideKind, TActivation>,
            5 => &Compute<TLanes, TVector, Five, TVectors, TStrideKind, TActivation>,
            4 => &Compute<TLanes, TVector, Four, TVectors, TStrideKind, TActivation>,
            3 => &Compute<TLanes, TVector, Three, TVectors, TStrideKind, TActivation>,
            2 => &Compute<TLanes, TVector, Two, TVectors, TStrideKind, TActivation>,
            _ => &Compute<TLanes, TVector, One, TVectors, TStrideKind, TActivation>,
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute<TLanes, TVector, TRows, TVectors, TStrideKind, TActivation>(in ConvolutionOperands operands)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TRows : struct, IConstant
        where TVectors : struct, IConstant
        where TStrideKind : struct, IConstant
        where TActivation : struct, IActivation
    {
        float* p0 = Row<TRows>(operands.Left, 0),
            p1 = Row<TRows>(operands.Left, 1),
            p2 = Row<TRows>(operands.Left, 2),
            p3 = Row<TRows>(operands.Left, 3);
        float* p4 = Row<TRows>(operands.Left, 4),
            p5 = Row<TRows>(operands.Left, 5),
            p6 = Row<TRows>(operands.Left, 6),
            p7 = Row<TRows>(operands.Left, 7);
        float* p8 = Row<TRows>(operands.Left, 8),
            p9 = Row<TRows>(operands.Left, 9),
            p10 = Row<TRows>(operands.Left, 10),
            p11 = Row<TRows>(operands.Left, 11);
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
        if (operands.Resume)
        {
            var source = operands.Destination;
            r0 = r0.Load(0, source[0], 0);
            r1 = r1.Load(1, source[1], 0);
            r2 = r2.Load(2, source[2], 0);
            r3 = r3.Load(3, source[3], 0);
            r4 = r4.Load(4, source[4], 0);
            r5 = r5.Load(5, source[5], 0);
            r6 = r6.Load(6, source[6], 0);
            r7 = r7.Load(7, source[7], 0);
            r8 = r8.Load(8, source[8], 0);
            r9 = r9.Load(9, source[9], 0);
            r10 = r10.Load(10, source[10], 0);
            r11 = r11.Load(11, source[11], 0);
        }

        nint leftStep = TStrideKind.Value > 1 ? operands.LeftStep : 1,
            image = 0;
        var rightStep = TStrideKind.Value > 1 ? operands.RightStep : RegisterTile.PanelColumns;
        var right = operands.Right;
        for (var images = operands.Images; images > 0; images--)
        {
            var run = operands.Runs;
            for (var runs = operands.RunCount; runs > 0; runs--, run++)
            {
                var at = image + run->Left;
                var b = right + run->Right;
                TileRow<TLanes, TVector, TRows, TVectors> factors = default;
                if (TStrideKind.Value > 1 && run->Rows != (1 << TRows.Value) - 1)
                {
                    var active = run->Rows;
                    for (var terms = run->Length; terms > 0; terms--)
                    {
                        factors = factors.Load(0, b, 0);
                        if ((active & (1 << 0)) != 0)
                            r0 = r0.AddProduct(0, p0 + at, factors);
                        if ((active & (1 << 1)) != 0)
                            r1 = r1.AddProduct(1, p1 + at, factors);
                        if ((active & (1 << 2)) != 0)
                            r2 = r2.AddProduct(2, p2 + at, factors);
                        if ((active & (1 << 3)) != 0)
                            r3 = r3.AddProduct(3, p3 + at, factors);
                        if ((active & (1 << 4)) != 0)
                            r4 = r4.AddProduct(4, p4 + at, factors);
                        if ((active & (1 << 5)) != 0)
                            r5 = r5.AddProduct(5, p5 + at, factors);
                        if ((active & (1 << 6)) != 0)
                            r6 = r6.AddProduct(6, p6 + at, factors);
                        if ((active & (1 << 7)) != 0)
                            r7 = r7.AddProduct(7, p7 + at, factors);
                        if ((active & (1 << 8)) != 0)
                            r8 = r8.AddProduct(8, p8 + at, factors);
                        if ((active & (1 << 9)) != 0)
                            r9 = r9.AddProduct(9, p9 + at, factors);
                        if ((active & (1 << 10)) != 0)
                            r10 = r10.AddProduct(10, p10 + at, factors);
                        if ((active & (1 << 11)) != 0)
                            r11 = r11.AddProduct(11, p11 + at, factors);
                        at += leftStep;
                        b += rightStep;
                    }

                    continue;
                }

                for (var terms = run->Length; terms > 0; terms--)
                {
                    factors = factors.Load(0, b, 0);
                    r0 = r0.AddProduct(0, p0 + at, factors);
                    r1 = r1.AddProduct(1, p1 + at, factors);
                    r2 = r2.AddProduct(2, p2 + at, factors);
                    r3 = r3.AddProduct(3, p3 + at, factors);
                    r4 = r4.AddProduct(4, p4 + at, factors);
                    r5 = r5.AddProduct(5, p5 + at, factors);
                    r6 = r6.AddProduct(6, p6 + at, factors);
                    r7 = r7.AddProduct(7, p7 + at, factors);
                    r8 = r8.AddProduct(8, p8 + at, factors);
                    r9 = r9.AddProduct(9, p9 + at, factors);
                    r10 = r10.AddProduct(10, p10 + at, factors);
                    r11 = r11.AddProduct(11, p11 + at, factors);
                    at += leftStep;
                    b += rightStep;
                }
            }

            image += operands.LeftImage;
            right += operands.RightImage;
        }

        if (operands.Bias != null)
        {
            TileRow<TLanes, TVector, TRows, TVectors> addends = default;
            addends = addends.Load(0, operands.Bias, 0);
            r0 = r0.Activated<TActivation>(0, addends);
            r1 = r1.Activated<TActivation>(1, addends);
            r2 = r2.Activated<TActivation>(2, addends);
            r3 = r3.Activated<TActivation>(3, addends);
            r4 = r4.Activated<TActivation>(4, addends);
            r5 = r5.Activated<TActivation>(5, addends);
            r6 = r6.Activated<TActivation>(6, addends);
            r7 = r7.Activated<TActivation>(7, addends);
            r8 = r8.Activated<TActivation>(8, addends);
            r9 = r9.Activated<TActivation>(9, addends);
            r10 = r10.Activated<TActivation>(10, addends);
            r11 = r11.Activated<TActivation>(11, addends);
        }

        var destination = operands.Destination;
        r0.Store(0, destination[0], 0);
        r1.Store(1, destination[1], 0);
        r2.Store(2, destination[2], 0);
        r3.Store(3, destination[3], 0);
        r4.Store(4, destination[4], 0);
        r5.Store(5, destination[5], 0);
        r6.Store(6, destination[6], 0);
        r7.Store(7, destination[7], 0);
        r8.Store(8, destination[8], 0);
        r9.Store(9, destination[9], 0);
        r10.Store(10, destination[10], 0);
        r11.Store(11, destination[11], 0);
    }

    private static float* Row<TRows>(float** rows, int index)
        where TRows : struct, IConstant => index < TRows.Value ? rows[index] : null;
}
