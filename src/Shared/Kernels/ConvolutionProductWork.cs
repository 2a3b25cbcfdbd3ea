namespace Distributed.Kernels;

/// <summary>
/// What a forward pass and the input's gradient have in common: each destination pixel's chains run over the pixels of the source that reach it,
/// times packed weights. The output gets bias and activation while a tile is still in the first level cache.
/// </summary>
internal unsafe struct ConvolutionProductWork<TActivation> : IPartitionedWork
    where TActivation : struct, IActivation
{
    /// <summary>Images whose pixels may share tiles: as many as a tile has rows, so that every class of pixels fills its tiles.</summary>
    private const int GroupImages = ConvolutionTile.MaxRows;

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

    /// <summary>[columns], or null where nothing is added.</summary>
    public float* Bias;

    public readonly void Execute(int part, int parts) => VectorWidth.Execute(new Core(this, part, parts));

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(ConvolutionProductWork<TActivation> work, int part, int parts) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => work.Compute<TLanes, TVector>(part, parts);
    }

    /// <summary>Threads share the images, or the tiles of each class where there are fewer images than threads.</summary>
    private readonly void Compute<TLanes, TVector>(int part, int parts)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        (int first, int end) = Images < parts ? (0, Images) : Partition.Of(Images, 1, part, parts);
        int full = TileGrid.FullRows<TLanes, TVector>();
        for (int image = first; image < end; image += GroupImages)
        {
            int images = Math.Min(GroupImages, end - image);
            for (ConvolutionClass* kind = Classes; kind < Classes + ClassCount; kind++)
            {
                int pixels = kind->Pixels * images;
                (int from, int to) = Images < parts ? Partition.Of(pixels, full, part, parts) : (0, pixels);
                ComputeClass<TLanes, TVector>(*kind, image, from, to);
            }
        }
    }

    /// <summary>A panel of weights stays in the first level cache for all pixels of the class.</summary>
    private readonly void ComputeClass<TLanes, TVector>(in ConvolutionClass kind, int image, int from, int to)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int full = TileGrid.FullRows<TLanes, TVector>();
        for (int column = 0; column < Columns; column += 2 * TLanes.Count)
        {
            for (int pixel = from; pixel < to; pixel += full)
                ComputeTile<TLanes, TVector>(kind, image, pixel, Math.Min(full, to - pixel), column);
        }
    }

    /// <summary>Rows and columns that stick out of the destination go to the stack; whole columns of a row follow from there.</summary>
    private readonly void ComputeTile<TLanes, TVector>(in ConvolutionClass kind, int image, int pixel, int rows, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float** left = stackalloc float*[ConvolutionTile.MaxRows];
        float** destination = stackalloc float*[ConvolutionTile.MaxRows];
        float** tile = stackalloc float*[ConvolutionTile.MaxRows];
        float* spill = stackalloc float[ConvolutionTile.SlotLength];
        int width = Math.Min(2 * TLanes.Count, Columns - column);
        bool spills = width % TLanes.Count != 0;
        for (int row = 0, at = pixel % kind.Pixels, n = image + (pixel / kind.Pixels); row < rows; row++)
        {
            ConvolutionPixel place = Pixels[kind.FirstPixel + at];
            left[row] = Source + ((nint)n * SourceLength) + place.Source;
            destination[row] = Destination + ((nint)n * DestinationLength) + place.Destination + column;
            tile[row] = spills ? spill + (row * ConvolutionTile.PanelColumns) : destination[row];
            if (++at == kind.Pixels)
                (at, n) = (0, n + 1);
        }

        if (rows % 2 != 0)
        {
            left[rows] = left[rows - 1];
            tile[rows] = spill + (rows * ConvolutionTile.PanelColumns);
        }

        Multiply<TLanes, TVector>(kind, left, tile, rows, width, column);
        Finish<TLanes, TVector>(tile, destination, rows, width, column);
    }

    private readonly void Multiply<TLanes, TVector>(in ConvolutionClass kind, float** left, float** tile, int rows, int width, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int inPanel = column % ConvolutionTile.PanelColumns;
        var operands = new ConvolutionOperands
        {
            Left = left,
            Right = Panels + ((nint)(column / ConvolutionTile.PanelColumns) * PanelLength) + inPanel,
            Destination = tile,
            Runs = Runs + kind.FirstRun,
            RunCount = kind.Runs,
            Images = 1,
            LeftStep = 1,
            RightStep = ConvolutionTile.PanelColumns,
        };
        ConvolutionTile.Kernel<TLanes, TVector, One>(TileGrid.TileRows(rows), width)(operands);
    }

    private readonly void Finish<TLanes, TVector>(float** tile, float** destination, int rows, int width, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (Bias == null && typeof(TActivation) == typeof(IdentityActivation) && tile[0] == destination[0])
            return;
        for (int row = 0; row < rows; row++)
        {
            var finish = new FinishedRow(tile[row], Bias == null ? null : Bias + column, destination[row]);
            new Elementwise.Loop<FinishedRow>(finish, 0, width).Execute<TLanes, TVector>();
        }
    }

    private readonly struct FinishedRow(float* sums, float* bias, float* destination) : IElementwise
    {
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            TVector value = TLanes.Load(sums + index);
            if (bias != null)
                value = TLanes.Add(value, TLanes.Load(bias + index));
            TLanes.Store(TActivation.Forward<TLanes, TVector>(value), destination + index);
        }
    }
}
