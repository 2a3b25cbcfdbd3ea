using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Distributed.Kernels;

/// <summary>
/// Copies from row-major matrices to the panels that register tiles read front to back. The rest of a panel that is wider than its content is left
/// as it is: tiles compute with it and drop the result.
/// </summary>
internal static unsafe class PanelPacking
{
    /// <summary>Columns transposed at a time: the block of a panel that they fill stays in the first level cache until it is full.</summary>
    private const int BlockDepth = 64;

    /// <summary>Rows that one 512-bit vector transposes, and columns too.</summary>
    private const int Square = 4;

    /// <summary>destination[k * width + j] = source[k * stride + j] for j below <paramref name="columns"/>.</summary>
    public static void Copy(float* source, nint stride, int depth, int columns, float* destination, int width)
    {
        for (int k = 0; k < depth; k++, source += stride, destination += width)
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, columns));
    }

    /// <summary>destination[k * width + i] = source[i * stride + k] for i below <paramref name="rows"/>.</summary>
    public static void Transpose(float* source, nint stride, int rows, int depth, float* destination, int width)
    {
        for (int k = 0; k < depth; k += BlockDepth)
            TransposeBlock(source + k, stride, rows, Math.Min(BlockDepth, depth - k), destination + ((nint)k * width), width);
    }

    private static void TransposeBlock(float* source, nint stride, int rows, int depth, float* destination, int width)
    {
        int row = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; row <= rows - Square; row += Square)
                TransposeFourRows(source + (row * stride), stride, depth, destination + row, width);
        }

        for (; row < rows; row++)
            TransposeRow(source + (row * stride), depth, destination + row, width);
    }

    private static void TransposeRow(float* source, int depth, float* destination, int width)
    {
        for (int k = 0; k < depth; k++)
            destination[(nint)k * width] = source[k];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFourRows(float* source, nint stride, int depth, float* destination, nint width)
    {
        Vector512<int> order = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        int k = 0;
        for (; k <= depth - Square; k += Square, source += Square, destination += Square * width)
        {
            // The upper halves are inserted right away; starting from zeros would chain each square to the one before.
            Vector256<float> first = Vector128.Load(source).ToVector256Unsafe().WithUpper(Vector128.Load(source + stride));
            Vector256<float> second = Vector128.Load(source + (2 * stride)).ToVector256Unsafe().WithUpper(Vector128.Load(source + (3 * stride)));
            Vector512<float> square = Vector512.Shuffle(first.ToVector512Unsafe().WithUpper(second), order);
            square.GetLower().GetLower().Store(destination);
            square.GetLower().GetUpper().Store(destination + width);
            square.GetUpper().GetLower().Store(destination + (2 * width));
            square.GetUpper().GetUpper().Store(destination + (3 * width));
        }

        for (int row = 0; row < Square; row++)
            TransposeRow(source + (row * stride), depth - k, destination + row, (int)width);
    }
}
