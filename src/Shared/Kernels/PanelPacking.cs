using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Kernels;

/// <summary>
/// Copies from row-major matrices to the panels that register tiles read front to back. The rest of a panel that is wider than its content holds
/// anything: tiles compute with it and drop the result.
/// </summary>
internal static unsafe class PanelPacking
{
    /// <summary>destination[k * width + j] = source[k * stride + j] for j below <paramref name="columns"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<TLanes, TVector>(float* source, nint stride, int depth, int columns, float* destination, int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int k = 0; k < depth; k++, source += stride, destination += width)
        {
            int j = 0;
            for (; j <= columns - TLanes.Count; j += TLanes.Count)
                TLanes.Store(TLanes.Load(source + j), destination + j);
            for (; j <= columns - Lanes128.Count; j += Lanes128.Count)
                Lanes128.Store(Lanes128.Load(source + j), destination + j);
            for (; j < columns; j++)
                destination[j] = source[j];
        }
    }

    /// <summary>destination[k * 32 + i] = source[i * stride + k] for i below <paramref name="rows"/>, at most 32.</summary>
    public static void Transpose(float* source, nint stride, int rows, int depth, float* destination)
    {
        if (Avx512F.IsSupported && depth >= Vector512<float>.Count)
            TransposeSquares<Square16>(source, stride, rows, depth, destination);
        else if (Avx.IsSupported && depth >= Vector256<float>.Count)
            TransposeSquares<Square8>(source, stride, rows, depth, destination);
        else
            TransposeElements(source, stride, rows, depth, destination);
    }

    /// <summary>Squares side by side, down the depth; the last ones overlap their neighbours, and rows that are missing repeat the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeSquares<TSquare>(float* source, nint stride, int rows, int depth, float* destination)
        where TSquare : struct, ISquare
    {
        for (int k = 0; k < depth; k += TSquare.Size)
        {
            int from = Math.Min(k, depth - TSquare.Size);
            for (int i = 0; i < rows; i += TSquare.Size)
                TSquare.Transpose(source + (i * stride) + from, stride, rows - i - 1, destination + ((nint)from * RegisterTile.PanelColumns) + i);
        }
    }

    private static void TransposeElements(float* source, nint stride, int rows, int depth, float* destination)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int k = 0; k < depth; k++)
                destination[((nint)k * RegisterTile.PanelColumns) + i] = source[(i * stride) + k];
        }
    }
}
