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
        if (Avx512F.IsSupported && Fits<Transpose16x16>(depth, width))
            TransposeTiles<Transpose16x16>(source, stride, rows, depth, destination, width);
        else if (Avx.IsSupported && Fits<Transpose8x8>(depth, width))
            TransposeTiles<Transpose8x8>(source, stride, rows, depth, destination, width);
        else
            TransposeElements(source, stride, rows, depth, destination, width);
    }

    private static bool Fits<TTile>(int depth, int width)
        where TTile : struct, IRegisterTranspose => depth >= TTile.Size && width >= TTile.Size;

    /// <summary>
    /// Tiles along a stripe of rows, each row a stream that the hardware prefetcher can follow; then the next stripe. The last tiles
    /// overlap their neighbours; rows that are missing altogether repeat the last one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeTiles<TTile>(float* source, nint stride, int rows, int depth, float* destination, int width)
        where TTile : struct, IRegisterTranspose
    {
        for (var i = 0; i < rows; i += TTile.Size)
        {
            var row = Math.Max(0, Math.Min(i, rows - TTile.Size));
            for (var k = 0; k < depth; k += TTile.Size)
            {
                var from = Math.Min(k, depth - TTile.Size);
                TTile.Transpose(source + (row * stride) + from, stride, rows - row - 1, destination + ((nint)from * width) + row, width);
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
