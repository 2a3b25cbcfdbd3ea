using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Kernels.Vectors;

/// <summary>Transposes a square tile in registers, from one row-major matrix to another.</summary>
internal unsafe interface IRegisterTranspose
{
    /// <summary>Rows and columns of the tile: floats of one vector.</summary>
    static abstract int Size { get; }

    /// <summary>destination[k * width + i] = source[min(i, lastRow) * stride + k] for i and k below <see cref="Size"/>.</summary>
    static abstract void Transpose(float* source, nint stride, int lastRow, float* destination, nint width);
}

/// <summary>
/// 16 x 16: pairs, then quadruples of rows are interleaved inside the 128-bit quarters; then the quarters are put in order.
/// </summary>
internal readonly unsafe struct Transpose16x16 : IRegisterTranspose
{
    private const int Even = 0x88; // quarters 0 and 2 of both operands
    private const int Odd = 0xDD;

    public static int Size => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* source, nint stride, int lastRow, float* destination, nint width)
    {
        Interleave(source, stride, lastRow, 0, out var a0, out var a1, out var a2, out var a3);
        Interleave(source, stride, lastRow, 4, out var b0, out var b1, out var b2, out var b3);
        Interleave(source, stride, lastRow, 8, out var c0, out var c1, out var c2, out var c3);
        Interleave(source, stride, lastRow, 12, out var d0, out var d1, out var d2, out var d3);
        StoreQuarters(a0, b0, c0, d0, destination, width);
        StoreQuarters(a1, b1, c1, d1, destination + width, width);
        StoreQuarters(a2, b2, c2, d2, destination + (2 * width), width);
        StoreQuarters(a3, b3, c3, d3, destination + (3 * width), width);
    }

    /// <summary>Quarter q of result r holds column 4 q + r of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(
        float* source,
        nint stride,
        int lastRow,
        int row,
        out Vector512<float> r0,
        out Vector512<float> r1,
        out Vector512<float> r2,
        out Vector512<float> r3
    )
    {
        Vector512<float> first = Load(source, stride, lastRow, row),
            second = Load(source, stride, lastRow, row + 1);
        Vector512<float> third = Load(source, stride, lastRow, row + 2),
            fourth = Load(source, stride, lastRow, row + 3);
        Vector512<double> low12 = Avx512F.UnpackLow(first, second).AsDouble(),
            high12 = Avx512F.UnpackHigh(first, second).AsDouble();
        Vector512<double> low34 = Avx512F.UnpackLow(third, fourth).AsDouble(),
            high34 = Avx512F.UnpackHigh(third, fourth).AsDouble();
        r0 = Avx512F.UnpackLow(low12, low34).AsSingle();
        r1 = Avx512F.UnpackHigh(low12, low34).AsSingle();
        r2 = Avx512F.UnpackLow(high12, high34).AsSingle();
        r3 = Avx512F.UnpackHigh(high12, high34).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load(float* source, nint stride, int lastRow, int row) =>
        Vector512.Load(source + (Math.Min(row, lastRow) * stride));

    /// <summary>Quarter q of the four sources becomes row 4 q of the destination.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(
        Vector512<float> a,
        Vector512<float> b,
        Vector512<float> c,
        Vector512<float> d,
        float* destination,
        nint width
    )
    {
        const int low = 0x44,
            high = 0xEE;
        var next = 4 * width;
        Vector512<float> lowAb = Avx512F.Shuffle4x128(a, b, low),
            highAb = Avx512F.Shuffle4x128(a, b, high);
        Vector512<float> lowCd = Avx512F.Shuffle4x128(c, d, low),
            highCd = Avx512F.Shuffle4x128(c, d, high);
        Avx512F.Shuffle4x128(lowAb, lowCd, Even).Store(destination);
        Avx512F.Shuffle4x128(lowAb, lowCd, Odd).Store(destination + next);
        Avx512F.Shuffle4x128(highAb, highCd, Even).Store(destination + (2 * next));
        Avx512F.Shuffle4x128(highAb, highCd, Odd).Store(destination + (3 * next));
    }
}

/// <summary>8 x 8, in the same two steps.</summary>
internal readonly unsafe struct Transpose8x8 : IRegisterTranspose
{
    public static int Size => Vector256<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* source, nint stride, int lastRow, float* destination, nint width)
    {
        Interleave(source, stride, lastRow, 0, out var a0, out var a1, out var a2, out var a3);
        Interleave(source, stride, lastRow, 4, out var b0, out var b1, out var b2, out var b3);
        StoreHalves(a0, b0, destination, width);
        StoreHalves(a1, b1, destination + width, width);
        StoreHalves(a2, b2, destination + (2 * width), width);
        StoreHalves(a3, b3, destination + (3 * width), width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(
        float* source,
        nint stride,
        int lastRow,
        int row,
        out Vector256<float> r0,
        out Vector256<float> r1,
        out Vector256<float> r2,
        out Vector256<float> r3
    )
    {
        Vector256<float> first = Load(source, stride, lastRow, row),
            second = Load(source, stride, lastRow, row + 1);
        Vector256<float> third = Load(source, stride, lastRow, row + 2),
            fourth = Load(source, stride, lastRow, row + 3);
        Vector256<double> low12 = Avx.UnpackLow(first, second).AsDouble(),
            high12 = Avx.UnpackHigh(first, second).AsDouble();
        Vector256<double> low34 = Avx.UnpackLow(third, fourth).AsDouble(),
            high34 = Avx.UnpackHigh(third, fourth).AsDouble();
        r0 = Avx.UnpackLow(low12, low34).AsSingle();
        r1 = Avx.UnpackHigh(low12, low34).AsSingle();
        r2 = Avx.UnpackLow(high12, high34).AsSingle();
        r3 = Avx.UnpackHigh(high12, high34).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load(float* source, nint stride, int lastRow, int row) =>
        Vector256.Load(source + (Math.Min(row, lastRow) * stride));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<float> a, Vector256<float> b, float* destination, nint width)
    {
        const int low = 0x20,
            high = 0x31;
        Avx.Permute2x128(a, b, low).Store(destination);
        Avx.Permute2x128(a, b, high).Store(destination + (4 * width));
    }
}
