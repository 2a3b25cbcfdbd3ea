using System.Numerics;
using System.Runtime.CompilerServices;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// The gradients of weights and biases: chains over the pixels of a microbatch, and the tree across microbatches. A few images at a time go
/// through all tiles, so that they are read from memory once; between them the chains rest in memory, which rounds nothing. Sums of
/// finished microbatches lie on a stack and are merged as in a binary counter, see <see cref="TransposedProductWork"/>: below a microbatch,
/// it has a slot for each bit that is set in the microbatch's index. So a pass may be cut into any number of calls.
/// </summary>
internal unsafe struct ConvolutionGradientWork : IVectorizedWork
{
    /// <summary>
    /// Floats of input and output gradient that go through all tiles before the next images: half of a second level cache of 1 MiB. On one
    /// core of Zen 5, 14x14x32 -> 64: 32 Ki 186 GFLOP/s, 64 Ki 224, 128 Ki 234, 256 Ki 231.
    /// </summary>
    private const int BlockLength = 128 * 1024;

    /// <summary>
    /// Channels whose weights are written before the next filters' turn: 16 filters of 32 channels under 3x3 taps fill 18 KiB.
    /// </summary>
    private const int WrittenChannels = 32;

    public ConvolutionShape Shape;

    /// <summary>The tables of a <see cref="ConvolutionGradientMap"/>.</summary>
    public int* Offsets;
    public ConvolutionRun* Runs;
    public (int First, int Count)* Tiles;
    public int TileRows;

    /// <summary>[images, input length].</summary>
    public float* Input;

    /// <summary>[images, output length].</summary>
    public float* OutputGradient;

    /// <summary>Images of this call.</summary>
    public int Images;

    /// <summary>Images of the pass in the calls before this one.</summary>
    public int ImagesBefore;

    /// <summary>Images of the pass, in all calls.</summary>
    public int PassImages;

    public int Microbatch;

    /// <summary>The stack: slots of [filter length + 1, <see cref="SlotColumns"/>], the last row for the biases.</summary>
    public float* Slots;

    /// <summary>
    /// [filters, channels, kernel height, kernel width], overwritten by the pass's last call; null for the rows of one thread, whose sums
    /// stay on the stack.
    /// </summary>
    public float* WeightGradient;

    /// <summary>[filters], overwritten likewise; null for the rows of one thread, or where there are no biases.</summary>
    public float* BiasGradient;

    /// <summary>Whether there are biases.</summary>
    public bool HasBiases;

    /// <summary>For each chunk, room for a panel of the pixels of a block; unused where they are read in place.</summary>
    public float* Scratch;

    /// <summary>The filters, in whole vectors of any width.</summary>
    private readonly int SlotColumns => Columns(Shape.Filters);

    private readonly int PixelStep => ConvolutionGradientMap.PixelStep(Shape);

    private readonly int SlotLength => (Shape.FilterLength + 1) * SlotColumns;

    private readonly int TileCount => (Shape.FilterLength + TileRows - 1) / TileRows;

    /// <summary>Floats of scratch memory for each chunk.</summary>
    public static int ScratchLength(in ConvolutionShape shape, int microbatch)
    {
        var copies = shape.Filters != ConvolutionGradientMap.PixelStep(shape);
        return copies ? checked(BlockImages(shape, microbatch) * shape.OutputPixels * RegisterTile.PanelColumns) : 0;
    }

    /// <summary>Floats of the stack for so many microbatches.</summary>
    public static long StackLength(in ConvolutionShape shape, int microbatches) =>
        (BitOperations.Log2((uint)microbatches) + 1L) * (shape.FilterLength + 1) * Columns(shape.Filters);

    public readonly void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var share = ShareOf(chunk, chunks);
        SumMicrobatches<TLanes, TVector>(share);
        WriteIfComplete(share);
    }

    /// <summary>The tiles and columns of one chunk. The last tile comes with the biases of its columns.</summary>
    internal readonly record struct Share(int Chunk, int FirstTile, int EndTile, int FirstColumn, int EndColumn);

    /// <summary>The top of the stack while a microbatch is summed: a slot for each bit that is set in its index lies below.</summary>
    public readonly float* SlotOf(int microbatch) => Slots + ((nint)BitOperations.PopCount((uint)microbatch) * SlotLength);

    private static int BlockImages(in ConvolutionShape shape, int microbatch) =>
        Math.Clamp(BlockLength / (shape.InputLength + shape.OutputLength), 1, microbatch);

    private static int Columns(int filters) =>
        (filters + ConvolutionTile.MaxLanes - 1) / ConvolutionTile.MaxLanes * ConvolutionTile.MaxLanes;

    /// <summary>
    /// Cuts the columns if every chunk gets as many whole panels, so that no panel is copied twice; else the tiles, unless too few.
    /// </summary>
    public readonly Share ShareOf(int chunk, int chunks)
    {
        var wholePanels = SlotColumns % (chunks * RegisterTile.PanelColumns) == 0;
        if (!wholePanels && TileCount >= 2 * chunks)
        {
            var (firstTile, endTile) = ChunkRange.Of(TileCount, 1, chunk, chunks);
            return new Share(chunk, firstTile, endTile, 0, SlotColumns);
        }

        var (first, end) = ChunkRange.Of(SlotColumns, ConvolutionTile.MaxLanes, chunk, chunks);
        return new Share(chunk, 0, TileCount, first, end);
    }

    private readonly void SumMicrobatches<TLanes, TVector>(in Share share)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int last = (PassImages - 1) / Microbatch,
            end = ImagesBefore + Images;
        for (var image = ImagesBefore; image < end; )
        {
            int microbatch = image / Microbatch,
                endOfMicrobatch = (int)Math.Min(PassImages, (microbatch + 1L) * Microbatch);
            var top = SlotOf(microbatch);
            AddImages<TLanes, TVector>(share, image, Math.Min(end, endOfMicrobatch), top, resume: image > microbatch * Microbatch);
            image = Math.Min(end, endOfMicrobatch);
            if (image < endOfMicrobatch)
                break;
            var merges = microbatch < last ? BitOperations.TrailingZeroCount(~microbatch) : BitOperations.PopCount((uint)last);
            for (; merges > 0; merges--, top -= SlotLength)
                Merge<TLanes, TVector>(share, top - SlotLength, top);
        }
    }

    /// <summary>
    /// Puts the sum of an aligned block of microbatches on the stack, and merges what is complete with it.
    /// </summary>
    /// <param name="share">The rows and columns.</param>
    /// <param name="first">The block's first microbatch.</param>
    /// <param name="count">Its microbatches, a power of two.</param>
    /// <param name="block">Where the sum lies; null if it is where it belongs.</param>
    public readonly void Push<TLanes, TVector>(in Share share, int first, int count, float* block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var top = SlotOf(first);
        var isLast = (long)(first + count) * Microbatch >= PassImages;
        var merges = isLast ? BitOperations.PopCount((uint)first) : BitOperations.TrailingZeroCount(~(first / count));
        if (block == null)
            block = top;
        else if (merges == 0)
            Copy(share, block, top);
        for (; merges > 0; merges--, top -= SlotLength, block = top)
            Merge<TLanes, TVector>(share, top - SlotLength, block);
    }

    /// <summary>Images of one microbatch, in blocks of about the same size.</summary>
    private readonly void AddImages<TLanes, TVector>(in Share share, int image, int end, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var most = BlockImages(Shape, Microbatch);
        for (var blocks = (end - image + most - 1) / most; blocks > 0; blocks--, resume = true)
        {
            var images = (end - image + blocks - 1) / blocks;
            AddBlock<TLanes, TVector>(share, image - ImagesBefore, images, slot, resume);
            image += images;
        }
    }

    /// <summary>The terms of a few images, for all tiles of a share: one panel of the output's gradient after the other.</summary>
    private readonly void AddBlock<TLanes, TVector>(in Share share, int image, int images, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var panel = share.FirstColumn; panel < share.EndColumn; panel += RegisterTile.PanelColumns)
        {
            var end = Math.Min(share.EndColumn, panel + RegisterTile.PanelColumns);
            var pixels = Panel<TLanes, TVector>(share.Chunk, image, images, panel, end);
            for (var column = panel; column < end; column += 2 * TLanes.Count)
            {
                var width = Math.Min(2 * TLanes.Count, end - column);
                for (var tile = share.FirstTile; tile < share.EndTile; tile++)
                    AddTile<TLanes, TVector>(tile, image, images, pixels + column - panel, width, slot + column, resume);
                if (HasBiases && share.EndTile == TileCount)
                    AddBiases<TLanes, TVector>(images, pixels + column - panel, width, slot + column, resume);
            }
        }
    }

    /// <summary>Some columns of the output's gradient where they lie, or as a copy, [pixels][32].</summary>
    private readonly float* Panel<TLanes, TVector>(int chunk, int image, int images, int column, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var source = OutputGradient + ((nint)image * Shape.OutputLength) + column;
        if (Shape.Filters == PixelStep)
            return source;
        var copy = Scratch + ((nint)chunk * ScratchLength(Shape, Microbatch));
        var columns = Math.Min(end, Shape.Filters) - column;
        PanelPacking.Copy<TLanes, TVector>(source, Shape.Filters, images * Shape.OutputPixels, columns, copy, RegisterTile.PanelColumns);
        return copy;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddTile<TLanes, TVector>(int tile, int image, int images, float* pixels, int width, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var left = stackalloc float*[RegisterTile.MaxRows];
        var destination = stackalloc float*[RegisterTile.MaxRows];
        var input = Input + ((nint)image * Shape.InputLength);
        int first = tile * TileRows,
            rows = Math.Min(TileRows, Shape.FilterLength - first);
        for (var i = 0; i < rows; i++)
        {
            left[i] = input + Offsets[first + i];
            destination[i] = slot + ((nint)(first + i) * SlotColumns);
        }

        var operands = new ConvolutionOperands
        {
            Left = left,
            Right = pixels,
            Destination = destination,
            Runs = Runs + Tiles[tile].First,
            RunCount = Tiles[tile].Count,
            Images = images,
            LeftImage = Shape.InputLength,
            RightImage = (nint)Shape.OutputPixels * PixelStep,
            LeftStep = (nint)Shape.Stride * Shape.Channels,
            RightStep = PixelStep,
            Resume = resume,
        };
        ConvolutionTile.Kernel<TLanes, TVector, Two, IdentityActivation>(rows, width)(operands);
    }

    /// <summary>The biases are weights of an input that is 1 everywhere: a tile of one row, whose factor stays where it is.</summary>
    private readonly void AddBiases<TLanes, TVector>(int images, float* pixels, int width, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float one = 1;
        float* left = &one,
            destination = slot + ((nint)Shape.FilterLength * SlotColumns);
        ConvolutionRun run = new(Left: 0, Right: 0, images * Shape.OutputPixels, Rows: 1);
        var operands = new ConvolutionOperands
        {
            Left = &left,
            Right = pixels,
            Destination = &destination,
            Runs = &run,
            RunCount = 1,
            Images = 1,
            LeftStep = 0,
            RightStep = PixelStep,
            Resume = resume,
        };
        ConvolutionTile.Kernel<TLanes, TVector, Two, IdentityActivation>(1, width)(operands);
    }

    /// <summary>earlier += later, a node of the tree, for the rows and columns of a share.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Merge<TLanes, TVector>(in Share share, float* earlier, float* later)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (nint row = share.FirstTile * TileRows; row < EndRow(share); row++)
        {
            for (var i = (row * SlotColumns) + share.FirstColumn; i < (row * SlotColumns) + share.EndColumn; i += TLanes.Count)
                TLanes.Store(TLanes.Add(TLanes.Load(earlier + i), TLanes.Load(later + i)), earlier + i);
        }
    }

    private readonly void Copy(in Share share, float* source, float* destination)
    {
        var columns = share.EndColumn - share.FirstColumn;
        for (
            nint row = share.FirstTile * TileRows, i = (row * SlotColumns) + share.FirstColumn;
            row < EndRow(share);
            row++, i += SlotColumns
        )
        {
            new ReadOnlySpan<float>(source + i, columns).CopyTo(new Span<float>(destination + i, columns));
        }
    }

    private readonly int EndRow(in Share share) => share.EndTile == TileCount ? Shape.FilterLength + 1 : share.EndTile * TileRows;

    /// <summary>At the end of a pass, unless it is that of one thread's rows.</summary>
    public readonly void WriteIfComplete(in Share share)
    {
        if (ImagesBefore + Images == PassImages && WeightGradient != null)
            Write(share);
    }

    /// <summary>
    /// Transposes the finished sums to the layout of the parameters, so many filters and channels at a time that lines are written whole.
    /// </summary>
    private readonly void Write(in Share share)
    {
        for (var column = share.FirstColumn; column < share.EndColumn; column += ConvolutionTile.MaxLanes)
        {
            var filters = Math.Min(ConvolutionTile.MaxLanes, Math.Min(share.EndColumn, Shape.Filters) - column);
            for (var channel = 0; channel < Shape.Channels; channel += WrittenChannels)
            {
                for (var tap = 0; tap < Shape.Taps; tap++)
                    WriteTap(share, tap, channel, Math.Min(WrittenChannels, Shape.Channels - channel), column, filters);
            }

            var biases = Slots + ((nint)Shape.FilterLength * SlotColumns) + column;
            if (BiasGradient != null && share.EndTile == TileCount)
                new ReadOnlySpan<float>(biases, filters).CopyTo(new Span<float>(BiasGradient + column, filters));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void WriteTap(in Share share, int tap, int channel, int channels, int column, int filters)
    {
        var first = tap * Shape.Channels;
        int start = Math.Max(first + channel, share.FirstTile * TileRows),
            end = Math.Min(first + channel + channels, share.EndTile * TileRows);
        for (var row = start; row < end; row++)
        {
            var sums = Slots + ((nint)row * SlotColumns) + column;
            var weight = WeightGradient + ((nint)column * Shape.FilterLength) + ((row - first) * Shape.Taps) + tap;
            for (var filter = 0; filter < filters; filter++, weight += Shape.FilterLength)
                *weight = sums[filter];
        }
    }
}
