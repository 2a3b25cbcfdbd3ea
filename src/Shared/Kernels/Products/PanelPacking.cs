using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// Copies from row-major matrices to the panels that register tiles read front to back. The rest of a panel that is wider than its content
/// holds anything: tiles compute with it and drop the result.
/// </summary>
internal static unsafe class PanelPacking
{
    /// <summary>destination[k * width + j] = source[k * stride + j] for j below <paramref name="columns"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<TLanes, TVector>(float* source, nint stride, int depth, int columns, float* destination, int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var k = 0; k < depth; k++, source += stride, destination += width)
        {
            var j = 0;
            for (; j <= columns - TLanes.Count; j += TLanes.Count)
                TLanes.Store(TLanes.Load(source + j), destination + j);
            for (; j <= columns - Lanes128.Count; j += Lanes128.Count)
                Lanes128.Store(Lanes128.Load(source + j), destination + j);
            for (; j < columns; j++)
                destination[j] = source[j];
        }
    }

    /// <summary>
    /// destination[k * width + i] = source[i * stride + k] for i below <paramref name="rows"/>, at most <paramref name="width"/>.
    /// </summary>
    public static void Transpose(float* source, nint stride, int rows, int depth, float* destination, int width)
    {
        if (Avx512F.IsSupported && Fits<Square16>(depth, width))
            TransposeSquares<Square16>(source, stride, rows, depth, destination, width);
        else if (Avx.IsSupported && Fits<Square8>(depth, width))
            TransposeSquares<Square8>(source, stride, rows, depth, destination, width);
        else
            TransposeElements(source, stride, rows, depth, destination, width);
    }

    private static bool Fits<TSquare>(int depth, int width)
        where TSquare : struct, ISquare => depth >= TSquare.Size && width >= TSquare.Size;

    /// <summary>
    /// Squares along a stripe of rows, each row a stream that the processor can read ahead; then the next stripe. The last ones overlap
    /// their neighbours; rows that are missing altogether repeat the last one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeSquares<TSquare>(float* source, nint stride, int rows, int depth, float* destination, int width)
        where TSquare : struct, ISquare
    {
        for (var i = 0; i < rows; i += TSquare.Size)
        {
            var row = Math.Max(0, Math.Min(i, rows - TSquare.Size));
            for (var k = 0; k < depth; k += TSquare.Size)
            {
                var from = Math.Min(k, depth - TSquare.Size);
                TSquare.Transpose(source + (row * stride) + from, stride, rows - row - 1, destination + ((nint)from * width) + row, width);
            }
        }
    }

    private static void TransposeElements(float* source, nint stride, int rows, int depth, float* destination, int width)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var k = 0; k < depth; k++)
                destination[((nint)k * width) + i] = source[(i * stride) + k];
        }
    }
}
