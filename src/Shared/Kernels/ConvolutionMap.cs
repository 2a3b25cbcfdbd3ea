namespace Distributed.Kernels;

/// <summary>Where a pixel of the destination and the first factor of its chains lie in their images, in floats.</summary>
internal readonly record struct ConvolutionPixel(int Source, int Destination);

/// <summary>Pixels of one image that the same taps reach, and the runs of links that these taps make: ranges of the map's tables.</summary>
internal readonly record struct ConvolutionClass(int FirstPixel, int Pixels, int FirstRun, int Runs);

/// <summary>
/// Which links the chains of each destination pixel have. Padding and stride decide which taps reach a pixel, so an image falls into a few classes
/// of pixels: one inside, and those along edges and in corners; with a stride, the input's gradient has stride^2 times as many.
/// Pixels of a class can share a register tile wherever they lie.
/// </summary>
internal sealed class ConvolutionMap
{
    private readonly List<ConvolutionClass> _classes = [];
    private readonly List<ConvolutionPixel> _pixels = [];
    private readonly List<ConvolutionRun> _runs = [];

    private ConvolutionMap(
        IReadOnlyList<ConvolutionAxis> rows, IReadOnlyList<ConvolutionAxis> columns, int sourceWidth, int depth, int destinationWidth, int destinationDepth, Func<int, int, int> rank)
    {
        foreach (ConvolutionAxis row in rows)
        {
            foreach (ConvolutionAxis column in columns)
                AddClass(row, column, sourceWidth, depth, destinationWidth, destinationDepth, rank);
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
        int kernelWidth = shape.KernelWidth;
        return new ConvolutionMap(
            ConvolutionAxis.OfOutput(shape.OutputHeight, shape.Height, shape.KernelHeight, shape.Stride, shape.PaddingHeight),
            ConvolutionAxis.OfOutput(shape.OutputWidth, shape.Width, shape.KernelWidth, shape.Stride, shape.PaddingWidth),
            shape.Width, shape.Channels, shape.OutputWidth, shape.Filters, (row, column) => (row * kernelWidth) + column);
    }

    /// <summary>From the output's gradient to the input's: chains in the order (oy, ox, filter), for which the weights are packed with mirrored taps.</summary>
    public static ConvolutionMap OfInput(in ConvolutionShape shape)
    {
        int kernelWidth = shape.KernelWidth, last = shape.Taps - 1;
        return new ConvolutionMap(
            ConvolutionAxis.OfInput(shape.OutputHeight, shape.Height, shape.KernelHeight, shape.Stride, shape.PaddingHeight),
            ConvolutionAxis.OfInput(shape.OutputWidth, shape.Width, shape.KernelWidth, shape.Stride, shape.PaddingWidth),
            shape.OutputWidth, shape.Filters, shape.Width, shape.Channels, (row, column) => last - (row * kernelWidth) - column);
    }

    private void AddClass(
        ConvolutionAxis row, ConvolutionAxis column, int sourceWidth, int depth, int destinationWidth, int destinationDepth, Func<int, int, int> rank)
    {
        (int firstPixel, int firstRun) = (_pixels.Count, _runs.Count);
        foreach ((int y, int sourceY) in row.Coordinates)
        {
            foreach ((int x, int sourceX) in column.Coordinates)
                _pixels.Add(new(((sourceY * sourceWidth) + sourceX) * depth, ((y * destinationWidth) + x) * destinationDepth));
        }

        for (int y = 0; y < row.Taps.Count; y++)
        {
            for (int x = 0; x < column.Taps.Count; x++)
                AddTap(firstRun, ((y * sourceWidth) + x) * depth, rank(row.Taps[y], column.Taps[x]) * depth, depth);
        }

        _classes.Add(new(firstPixel, _pixels.Count - firstPixel, firstRun, _runs.Count - firstRun));
    }

    /// <summary>A tap whose factors and weights both follow those of the tap before prolongs its run.</summary>
    private void AddTap(int firstRun, int source, int weightRow, int depth)
    {
        int right = weightRow * RegisterTile.PanelColumns;
        if (_runs.Count > firstRun && _runs[^1] is var last && source == last.Left + last.Length && right == last.Right + (last.Length * RegisterTile.PanelColumns))
            _runs[^1] = last with { Length = last.Length + depth };
        else
            _runs.Add(new(source, right, depth, 0));
    }
}
