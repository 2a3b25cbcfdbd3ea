using System.Numerics;
using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>
/// The gradients of weights and biases: chains over the pixels of a microbatch, and the tree across microbatches. A few images at a time go through
/// all tiles, so that they are read from memory once; between them the chains rest in memory, which rounds nothing. Sums of finished microbatches lie
/// on a stack and are merged as in a binary counter, see <see cref="TransposedProductWork"/>.
/// </summary>
internal unsafe struct ConvolutionGradientWork : IPartitionedWork
{
    /// <summary>Floats of input and output gradient that go through all tiles before the next images.</summary>
    private const int BlockLength = 128 * 1024;

    public ConvolutionShape Shape;
    public int* Offsets;
    public ConvolutionRun* Runs;
    public (int First, int Count)* Tiles;
    public int TileRows;

    /// <summary>[images, input length].</summary>
    public float* Input;

    /// <summary>[images, output length].</summary>
    public float* OutputGradient;

    public int Images;
    public int Microbatch;

    /// <summary>The stack: slots of [filter length + 1, <see cref="SlotColumns"/>], the last row for the biases.</summary>
    public float* Slots;

    /// <summary>[filters, channels, kernel height, kernel width], overwritten.</summary>
    public float* WeightGradient;

    /// <summary>[filters], overwritten; null where there are no biases.</summary>
    public float* BiasGradient;

    /// <summary>For each part, room for the pixels of a block; unused where they are whole vectors as they lie.</summary>
    public float* Scratch;

    /// <summary>The filters, in whole vectors of any width.</summary>
    private readonly int SlotColumns => Columns(Shape.Filters);

    private readonly int SlotLength => (Shape.FilterLength + 1) * SlotColumns;

    private readonly int TileCount => (Shape.FilterLength + TileRows - 1) / TileRows;

    private readonly int BlockImages => Math.Clamp(BlockLength / (Shape.InputLength + Shape.OutputLength), 1, Microbatch);

    /// <summary>Floats of scratch memory for each part.</summary>
    public static int ScratchLength(in ConvolutionShape shape, int microbatch)
    {
        int images = Math.Clamp(BlockLength / (shape.InputLength + shape.OutputLength), 1, microbatch);
        return checked(images * shape.OutputPixels * RegisterTile.PanelColumns);
    }

    /// <summary>Floats of the stack for so many microbatches.</summary>
    public static long StackLength(in ConvolutionShape shape, int microbatches) =>
        (BitOperations.Log2((uint)microbatches) + 1L) * (shape.FilterLength + 1) * Columns(shape.Filters);

    public readonly void Execute(int part, int parts) => VectorWidth.Execute(new Core(this, part, parts));

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(ConvolutionGradientWork work, int part, int parts) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            Share share = work.ShareOf(part, parts);
            work.SumMicrobatches<TLanes, TVector>(share);
            work.Write(share);
        }
    }

    /// <summary>The tiles and columns of one part. Who has the last tile has the biases of its columns, too.</summary>
    internal readonly record struct Share(int Part, int FirstTile, int EndTile, int FirstColumn, int EndColumn);

    private static int Columns(int filters) => (filters + ConvolutionTile.MaxLanes - 1) / ConvolutionTile.MaxLanes * ConvolutionTile.MaxLanes;

    /// <summary>Cuts the tiles where there are enough of them to come out alike, else the columns.</summary>
    private readonly Share ShareOf(int part, int parts)
    {
        if (TileCount >= 2 * parts)
        {
            (int firstTile, int endTile) = Partition.Of(TileCount, 1, part, parts);
            return new Share(part, firstTile, endTile, 0, SlotColumns);
        }

        (int first, int end) = Partition.Of(SlotColumns, ConvolutionTile.MaxLanes, part, parts);
        return new Share(part, 0, TileCount, first, end);
    }

    private readonly void SumMicrobatches<TLanes, TVector>(in Share share)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int last = (Images - 1) / Microbatch;
        float* top = Slots;
        for (int microbatch = 0; microbatch <= last; microbatch++, top += SlotLength)
        {
            int first = microbatch * Microbatch, end = Math.Min(Images, first + Microbatch);
            for (int image = first; image < end; image += BlockImages)
                AddBlock<TLanes, TVector>(share, image, Math.Min(BlockImages, end - image), top, resume: image > first);
            int merges = microbatch < last ? BitOperations.TrailingZeroCount(~microbatch) : BitOperations.PopCount((uint)last);
            for (; merges > 0; merges--, top -= SlotLength)
                Merge<TLanes, TVector>(share, top - SlotLength, top);
        }
    }

    /// <summary>The links of a few images, for all tiles of a share: one panel of the output's gradient after the other.</summary>
    private readonly void AddBlock<TLanes, TVector>(in Share share, int image, int images, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int panel = share.FirstColumn; panel < share.EndColumn; panel += RegisterTile.PanelColumns)
        {
            int end = Math.Min(share.EndColumn, panel + RegisterTile.PanelColumns);
            float* pixels = Panel<TLanes, TVector>(share.Part, image, images, panel, end);
            for (int column = panel; column < end; column += 2 * TLanes.Count)
            {
                int width = Math.Min(2 * TLanes.Count, end - column);
                for (int tile = share.FirstTile; tile < share.EndTile; tile++)
                    AddTile<TLanes, TVector>(tile, image, images, pixels + column - panel, width, slot + column, resume);
                if (BiasGradient != null && share.EndTile == TileCount)
                    AddBiases<TLanes, TVector>(pixels + column - panel, images * Shape.OutputPixels, width, slot + column, resume);
            }
        }
    }

    /// <summary>Some columns of the output's gradient as [pixels][32]: a copy, unless they lie like that.</summary>
    private readonly float* Panel<TLanes, TVector>(int part, int image, int images, int column, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* source = OutputGradient + ((nint)image * Shape.OutputLength) + column;
        if (Shape.Filters == RegisterTile.PanelColumns)
            return source;
        float* copy = Scratch + ((nint)part * ScratchLength(Shape, Microbatch));
        int columns = Math.Min(end, Shape.Filters) - column;
        PanelPacking.Copy<TLanes, TVector>(source, Shape.Filters, images * Shape.OutputPixels, columns, copy, RegisterTile.PanelColumns);
        return copy;
    }

    [SkipLocalsInit]
    private readonly void AddTile<TLanes, TVector>(int tile, int image, int images, float* pixels, int width, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float** left = stackalloc float*[RegisterTile.MaxRows];
        float** destination = stackalloc float*[RegisterTile.MaxRows];
        float* input = Input + ((nint)image * Shape.InputLength);
        int first = tile * TileRows, rows = Math.Min(TileRows, Shape.FilterLength - first);
        for (int i = 0; i < rows; i++)
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
            RightImage = (nint)Shape.OutputPixels * RegisterTile.PanelColumns,
            LeftStep = (nint)Shape.Stride * Shape.Channels,
            Resume = resume,
        };
        ConvolutionTile.Kernel<TLanes, TVector, Two>(rows, width)(operands);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddBiases<TLanes, TVector>(float* pixels, int count, int width, float* slot, bool resume)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int column = 0; column < width; column += TLanes.Count)
        {
            float* destination = slot + ((nint)Shape.FilterLength * SlotColumns) + column;
            TVector sum = resume ? TLanes.Load(destination) : default;
            float* pixel = pixels + column;
            for (int i = 0; i < count; i++, pixel += RegisterTile.PanelColumns)
                sum = TLanes.Add(sum, TLanes.Load(pixel));
            TLanes.Store(sum, destination);
        }
    }

    /// <summary>earlier += later, a node of the tree, for the rows and columns of a share.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Merge<TLanes, TVector>(in Share share, float* earlier, float* later)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int end = share.EndTile == TileCount ? Shape.FilterLength + 1 : share.EndTile * TileRows;
        for (nint row = share.FirstTile * TileRows; row < end; row++)
        {
            for (nint i = (row * SlotColumns) + share.FirstColumn; i < (row * SlotColumns) + share.EndColumn; i += TLanes.Count)
                TLanes.Store(TLanes.Add(TLanes.Load(earlier + i), TLanes.Load(later + i)), earlier + i);
        }
    }

    /// <summary>Transposes the finished sums to the layout of the parameters, a cache line of filters at a time.</summary>
    private readonly void Write(in Share share)
    {
        for (int column = share.FirstColumn; column < share.EndColumn; column += ConvolutionTile.MaxLanes)
        {
            int filters = Math.Min(column + ConvolutionTile.MaxLanes, Math.Min(share.EndColumn, Shape.Filters));
            for (int row = share.FirstTile * TileRows; row < Math.Min(share.EndTile * TileRows, Shape.FilterLength); row++)
            {
                int weight = ((row % Shape.Channels) * Shape.Taps) + (row / Shape.Channels);
                for (int filter = column; filter < filters; filter++)
                    WeightGradient[((nint)filter * Shape.FilterLength) + weight] = Slots[((nint)row * SlotColumns) + filter];
            }

            if (BiasGradient != null && share.EndTile == TileCount)
                new ReadOnlySpan<float>(Slots + ((nint)Shape.FilterLength * SlotColumns) + column, filters - column).CopyTo(new Span<float>(BiasGradient + column, filters - column));
        }
    }
}
