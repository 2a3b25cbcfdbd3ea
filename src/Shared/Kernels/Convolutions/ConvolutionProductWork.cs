using System.Runtime.CompilerServices;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// What a forward pass and the input's gradient have in common: each destination pixel's chains run over the pixels of the source that
/// reach it, times packed weights. The output gets bias and activation while a tile is still in the first level cache.
/// </summary>
internal unsafe struct ConvolutionProductWork<TActivation> : IVectorizedWork
    where TActivation : struct, IActivation
{
    /// <summary>Images whose pixels may share tiles: as many as a tile has rows, so that every class of pixels fills its tiles.</summary>
    private const int GroupImages = RegisterTile.MaxRows;

    public ConvolutionClass* Classes;
    public ConvolutionPixel* Pixels;
    public ConvolutionRun* Runs;
    public int ClassCount;

    /// <summary>[images, source length].</summary>
    public float* Source;

    public int SourceLength;

    /// <summary>Weights, [panel][taps * depth][32].</summary>
    public float* Panels;

    /// <summary>Floats of a panel.</summary>
    public int PanelLength;

    /// <summary>[images, destination length], overwritten.</summary>
    public float* Destination;

    public int DestinationLength;

    /// <summary>Floats of a destination pixel.</summary>
    public int Columns;

    public int Images;

    /// <summary>[whole panels of columns], or null for gradients, which get neither bias nor activation.</summary>
    public float* Bias;

    /// <summary>
    /// Functions of one instruction are applied in the tile's registers; others would need more of those than a tile leaves.
    /// </summary>
    private static bool IsAppliedInTile =>
        typeof(TActivation) == typeof(IdentityActivation) || typeof(TActivation) == typeof(ReluActivation);

    /// <summary>Threads share the images, or the tiles of each class where there are fewer images than threads.</summary>
    public readonly void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (first, end) = Images < chunks ? (0, Images) : ChunkRange.Of(Images, 1, chunk, chunks);
        var full = TileGrid.FullRows<TLanes, TVector>();
        for (var image = first; image < end; image += GroupImages)
        {
            var images = Math.Min(GroupImages, end - image);
            for (var kind = Classes; kind < Classes + ClassCount; kind++)
            {
                var pixels = kind->Pixels * images;
                var (from, to) = Images < chunks ? ChunkRange.Of(pixels, full, chunk, chunks) : (0, pixels);
                ComputeClass<TLanes, TVector>(*kind, image, from, to);
            }
        }
    }

    /// <summary>A panel of weights stays in the first level cache for all pixels of the class.</summary>
    private readonly void ComputeClass<TLanes, TVector>(in ConvolutionClass kind, int image, int from, int to)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var full = TileGrid.FullRows<TLanes, TVector>();
        for (var column = 0; column < Columns; column += 2 * TLanes.Count)
        {
            for (var pixel = from; pixel < to; pixel += full)
                ComputeTile<TLanes, TVector>(kind, image, pixel, Math.Min(full, to - pixel), column);
        }
    }

    /// <summary>Vectors that stick out of the destination go by way of the stack.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void ComputeTile<TLanes, TVector>(in ConvolutionClass kind, int image, int pixel, int rows, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var left = stackalloc float*[RegisterTile.MaxRows];
        var destination = stackalloc float*[RegisterTile.MaxRows];
        var spill = stackalloc float[RegisterTile.SlotLength];
        Locate(kind, image, pixel, rows, column, left, destination);
        var width = Math.Min(2 * TLanes.Count, Columns - column);
        if (width % TLanes.Count == 0)
            Multiply<TLanes, TVector>(kind, left, destination, rows, width, column);
        else
            ComputeEdge<TLanes, TVector>(kind, left, destination, rows, width, column, spill);
    }

    private readonly void ComputeEdge<TLanes, TVector>(
        in ConvolutionClass kind,
        float** left,
        float** destination,
        int rows,
        int width,
        int column,
        float* spill
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var tile = stackalloc float*[RegisterTile.MaxRows];
        for (var row = 0; row < RegisterTile.MaxRows; row++)
            tile[row] = spill + (row * RegisterTile.PanelColumns);
        Multiply<TLanes, TVector>(kind, left, tile, rows, width, column);
        for (var row = 0; row < rows; row++)
            new ReadOnlySpan<float>(tile[row], width).CopyTo(new Span<float>(destination[row], width));
    }

    /// <summary>Finds the pixels of a tile, which may lie in several images.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Locate(in ConvolutionClass kind, int image, int pixel, int rows, int column, float** left, float** destination)
    {
        var at = pixel % kind.Pixels;
        var source = Source + ((nint)(image + (pixel / kind.Pixels)) * SourceLength);
        var target = Destination + ((nint)(image + (pixel / kind.Pixels)) * DestinationLength) + column;
        var pixels = Pixels + kind.FirstPixel;
        for (var row = 0; row < rows; row++)
        {
            left[row] = source + pixels[at].Source;
            destination[row] = target + pixels[at].Destination;
            if (++at < kind.Pixels)
                continue;
            at = 0;
            source += SourceLength;
            target += DestinationLength;
        }
    }

    private readonly void Multiply<TLanes, TVector>(in ConvolutionClass kind, float** left, float** tile, int rows, int width, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var inPanel = column % RegisterTile.PanelColumns;
        var operands = new ConvolutionOperands
        {
            Left = left,
            Right = Panels + ((nint)(column / RegisterTile.PanelColumns) * PanelLength) + inPanel,
            Destination = tile,
            Runs = Runs + kind.FirstRun,
            RunCount = kind.Runs,
            Images = 1,
            Bias = IsAppliedInTile && Bias != null ? Bias + column : null,
        };
        if (IsAppliedInTile)
        {
            ConvolutionTile.Kernel<TLanes, TVector, One, TActivation>(rows, width)(operands);
            return;
        }

        ConvolutionTile.Kernel<TLanes, TVector, One, IdentityActivation>(rows, width)(operands);
        Finish<TLanes, TVector>(tile, rows, width, Bias + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish<TLanes, TVector>(float** tile, int rows, int width, float* bias)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var column = 0; column < width; column += TLanes.Count)
        {
            var addend = TLanes.Load(bias + column);
            for (var row = 0; row < rows; row++)
            {
                var place = tile[row] + column;
                TLanes.Store(TActivation.Forward<TLanes, TVector>(TLanes.Add(TLanes.Load(place), addend)), place);
            }
        }
    }
}
