using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Distributed.Kernels;

/// <summary>Copies between row-major matrices and the panels that register tiles read front to back.</summary>
internal static unsafe class PanelPacking
{
    /// <summary>Rows that one 512-bit vector transposes, and columns too.</summary>
    private const int Square = 4;

    /// <summary>destination[k * width + j] = source[k * stride + j] for j below <paramref name="columns"/>, and 0 from there to the width.</summary>
    public static void Copy(float* source, nint stride, int depth, int columns, float* destination, int width)
    {
        for (int k = 0; k < depth; k++, source += stride, destination += width)
        {
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, columns));
            new Span<float>(destination + columns, width - columns).Clear();
        }
    }

    /// <summary>destination[k * width + i] = source[i * stride + k] for i below <paramref name="rows"/>, and 0 from there to the width.</summary>
    public static void Transpose(float* source, nint stride, int rows, int depth, float* destination, int width)
    {
        int row = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; row <= rows - Square; row += Square)
                TransposeFourRows(source + (row * stride), stride, depth, destination + row, width);
        }

        for (; row < width; row++)
            TransposeRow(row < rows ? source + (row * stride) : null, depth, destination + row, width);
    }

    /// <summary>Spreads one row over the panel's column, or zeros if there is no row.</summary>
    private static void TransposeRow(float* source, int depth, float* destination, int width)
    {
        for (int k = 0; k < depth; k++)
            destination[(nint)k * width] = source == null ? 0 : source[k];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFourRows(float* source, nint stride, int depth, float* destination, int width)
    {
        int k = 0;
        for (; k <= depth - Square; k += Square)
            TransposeSquare(source + k, stride, destination + ((nint)k * width), width);
        for (int row = 0; row < Square; row++)
            TransposeRow(source + (row * stride) + k, depth - k, destination + row + ((nint)k * width), width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeSquare(float* source, nint stride, float* destination, nint width)
    {
        var upper = Vector256.Create(Vector128.Load(source), Vector128.Load(source + stride));
        var lower = Vector256.Create(Vector128.Load(source + (2 * stride)), Vector128.Load(source + (3 * stride)));
        Vector512<float> square = Vector512.Shuffle(Vector512.Create(upper, lower), Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
        square.GetLower().GetLower().Store(destination);
        square.GetLower().GetUpper().Store(destination + width);
        square.GetUpper().GetLower().Store(destination + (2 * width));
        square.GetUpper().GetUpper().Store(destination + (3 * width));
    }
}
