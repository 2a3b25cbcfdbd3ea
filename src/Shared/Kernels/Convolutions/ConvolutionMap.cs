using Distributed.Kernels.Products;

namespace Distributed.Kernels.Convolutions;

/// <summary>Where a pixel of the destination and the first factor of its chains lie in their images, in floats.</summary>
internal readonly record struct ConvolutionPixel(int Source, int Destination);

/// <summary>Pixels of one image that the same taps reach, and the runs of terms that these taps make: ranges of the map's tables.</summary>
internal readonly record struct ConvolutionClass(int FirstPixel, int Pixels, int FirstRun, int Runs);

/// <summary>
/// Which terms the chain of each destination pixel has. Padding and stride decide which taps reach a pixel, so an image falls into a few
/// classes of pixels: one inside, and those along edges and in corners; with a stride, the input's gradient has stride^2 times as many.
/// Pixels of a class can share a register tile wherever they lie.
/// </summary>
internal sealed class ConvolutionMap
{
    private readonly List<ConvolutionClass> _classes = [];
    private readonly List<ConvolutionPixel> _pixels = [];
    private readonly List<ConvolutionRun> _runs = [];

    private ConvolutionMap(
        IReadOnlyList<ConvolutionAxis> rows,
        IReadOnlyList<ConvolutionAxis> columns,
        Image source,
        Image destination,
        Func<int, int, int> rank
    )
    {
        foreach (var row in rows)
        {
            foreach (var column in columns)
                AddClass(row, column, source, destination, rank);
        }

        Classes = new ConvolutionTable<ConvolutionClass>(_classes);
        Pixels = new ConvolutionTable<ConvolutionPixel>(_pixels);
        Runs = new ConvolutionTable<ConvolutionRun>(_runs);
    }

    public ConvolutionTable<ConvolutionClass> Classes { get; }

    public ConvolutionTable<ConvolutionPixel> Pixels { get; }

    public ConvolutionTable<ConvolutionRun> Runs { get; }

    /// <summary>From the input to the output: chains in the order (kh, kw, channel).</summary>
    public static ConvolutionMap OfOutput(in ConvolutionShape shape)
    {
        var kernelWidth = shape.KernelWidth;
        return new ConvolutionMap(
            ConvolutionAxis.OfOutput(shape.OutputHeight, shape.Height, shape.KernelHeight, shape.Stride, shape.PaddingHeight),
            ConvolutionAxis.OfOutput(shape.OutputWidth, shape.Width, shape.KernelWidth, shape.Stride, shape.PaddingWidth),
            new Image(shape.Width, shape.Channels),
            new Image(shape.OutputWidth, shape.Filters),
            (row, column) => (row * kernelWidth) + column
        );
    }

    /// <summary>
    /// From the output's gradient to the input's: chains in the order (oy, ox, filter), for which the weights are packed with mirrored
    /// taps.
    /// </summary>
    public static ConvolutionMap OfInput(in ConvolutionShape shape)
    {
        int kernelWidth = shape.KernelWidth,
            last = shape.Taps - 1;
        return new ConvolutionMap(
            ConvolutionAxis.OfInput(shape.OutputHeight, shape.Height, shape.KernelHeight, shape.Stride, shape.PaddingHeight),
            ConvolutionAxis.OfInput(shape.OutputWidth, shape.Width, shape.KernelWidth, shape.Stride, shape.PaddingWidth),
            new Image(shape.OutputWidth, shape.Filters),
            new Image(shape.Width, shape.Channels),
            (row, column) => last - (row * kernelWidth) - column
        );
    }

    /// <param name="row">Destination rows.</param>
    /// <param name="column">Destination columns.</param>
    /// <param name="source">Where the factors come from.</param>
    /// <param name="destination">Where the sums go.</param>
    /// <param name="rank">The place of a tap among the packed weights.</param>
    private void AddClass(ConvolutionAxis row, ConvolutionAxis column, Image source, Image destination, Func<int, int, int> rank)
    {
        var (firstPixel, firstRun) = (_pixels.Count, _runs.Count);
        foreach (var (y, sourceY) in row.Coordinates)
        {
            foreach (var (x, sourceX) in column.Coordinates)
                _pixels.Add(new(source.Offset(sourceY, sourceX), destination.Offset(y, x)));
        }

        for (var y = 0; y < row.Taps.Count; y++)
        {
            for (var x = 0; x < column.Taps.Count; x++)
                AddTap(firstRun, source.Offset(y, x), rank(row.Taps[y], column.Taps[x]) * source.Depth, source.Depth);
        }

        _classes.Add(new(firstPixel, _pixels.Count - firstPixel, firstRun, _runs.Count - firstRun));
    }

    /// <summary>A tap whose factors and weights both follow those of the tap before prolongs its run.</summary>
    private void AddTap(int firstRun, int source, int weightRow, int depth)
    {
        var right = weightRow * RegisterTile.PanelColumns;
        var follows =
            _runs.Count > firstRun
            && _runs[^1] is var before
            && source == before.Left + before.Length
            && right == before.Right + (before.Length * RegisterTile.PanelColumns);
        if (follows)
            _runs[^1] = _runs[^1] with { Length = _runs[^1].Length + depth };
        else
            _runs.Add(new(source, right, depth, 0));
    }

    /// <summary>An image whose rows have so many pixels, and these so many channels.</summary>
    private readonly record struct Image(int Width, int Depth)
    {
        public int Offset(int y, int x) => ((y * Width) + x) * Depth;
    }
}
