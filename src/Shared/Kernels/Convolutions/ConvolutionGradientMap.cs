using Distributed.Kernels.Products;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// Which output pixels each weight's gradient sums over. The gradient is taken as a matrix [taps * channels, filters] whose rows follow
/// each other in the order (kh, kw, channel), so that tiles are full even where there are few channels. A tile's runs are the stretches of
/// output pixels, image row by image row, in which the same of its rows have a pixel of the input to meet.
/// </summary>
internal sealed class ConvolutionGradientMap
{
    private readonly ConvolutionShape _shape;
    private readonly List<ConvolutionRun> _runs = [];
    private readonly List<int> _offsets = [];

    /// <summary>Lists the runs of all tiles.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="tileRows">Rows of a full tile, which is what a machine's registers hold.</param>
    public ConvolutionGradientMap(in ConvolutionShape shape, int tileRows)
    {
        _shape = shape;
        TileRows = tileRows;
        List<(int First, int Count)> tiles = [];
        for (var row = 0; row < shape.FilterLength; row += tileRows)
        {
            var first = _runs.Count;
            AddTile(row, Math.Min(tileRows, shape.FilterLength - row));
            tiles.Add((first, _runs.Count - first));
        }

        Offsets = new ConvolutionTable<int>(_offsets);
        Runs = new ConvolutionTable<ConvolutionRun>(_runs);
        Tiles = new ConvolutionTable<(int, int)>(tiles);
    }

    public int TileRows { get; }

    /// <summary>
    /// Floats from a pixel of the output's gradient to the next, as tiles read them: where they lie, as far as vectors do not stick out and
    /// so few filters leave no gaps that would waste the caches' sets; otherwise in copies of 32 columns. In place, 14x14x32 -> 64 runs at
    /// 254 GFLOP/s instead of 249, 28x28x16 -> 16 at 197 instead of 191.
    /// </summary>
    public static int PixelStep(in ConvolutionShape shape) =>
        shape.Filters % ConvolutionTile.MaxLanes == 0 && shape.Filters <= 2 * RegisterTile.PanelColumns
            ? shape.Filters
            : RegisterTile.PanelColumns;

    /// <summary>
    /// For each row of the matrix, floats from the input pixel under tap (0, 0) to the one that the row takes, channel included.
    /// </summary>
    public ConvolutionTable<int> Offsets { get; }

    public ConvolutionTable<ConvolutionRun> Runs { get; }

    /// <summary>The range of runs of each tile.</summary>
    public ConvolutionTable<(int First, int Count)> Tiles { get; }

    private void AddTile(int row, int count)
    {
        for (var i = row; i < row + count; i++)
            _offsets.Add(OffsetOf(i / _shape.Channels, i % _shape.Channels));
        var first = _runs.Count;
        var rowsOfLine = RowsInside(row, count, _shape.OutputHeight, _shape.Height, _shape.PaddingHeight, tap => tap / _shape.KernelWidth);
        var rowsOfColumn = RowsInside(row, count, _shape.OutputWidth, _shape.Width, _shape.PaddingWidth, tap => tap % _shape.KernelWidth);
        for (var y = 0; y < _shape.OutputHeight; y++)
        {
            for (var x = 0; x < _shape.OutputWidth; x++)
                AddPixel(first, y, x, rowsOfLine[y] & rowsOfColumn[x]);
        }
    }

    private int OffsetOf(int tap, int channel) =>
        checked(((((tap / _shape.KernelWidth) * _shape.Width) + (tap % _shape.KernelWidth)) * _shape.Channels) + channel);

    /// <summary>For each output coordinate along one side, the tile's rows whose tap stays inside the input.</summary>
    private int[] RowsInside(int firstRow, int count, int output, int input, int padding, Func<int, int> tapOf)
    {
        var rows = new int[output];
        for (var o = 0; o < output; o++)
        {
            for (var i = 0; i < count; i++)
            {
                var tap = tapOf((firstRow + i) / _shape.Channels);
                var coordinate = (o * _shape.Stride) + tap - padding;
                rows[o] |= coordinate >= 0 && coordinate < input ? 1 << i : 0;
            }
        }

        return rows;
    }

    /// <summary>A pixel that follows the one before, in both operands and for the same rows, prolongs its run.</summary>
    private void AddPixel(int firstRun, int y, int x, int rows)
    {
        if (rows == 0)
            return;
        var left = checked(
            ((((y * _shape.Stride) - _shape.PaddingHeight) * _shape.Width) + (x * _shape.Stride) - _shape.PaddingWidth) * _shape.Channels
        );
        var right = checked(((y * _shape.OutputWidth) + x) * PixelStep(_shape));
        var follows =
            _runs.Count > firstRun
            && _runs[^1] is var last
            && last.Rows == rows
            && right == last.Right + (last.Length * PixelStep(_shape))
            && left == last.Left + (last.Length * _shape.Stride * _shape.Channels);
        if (follows)
            _runs[^1] = _runs[^1] with { Length = _runs[^1].Length + 1 };
        else
            _runs.Add(new(left, right, 1, rows));
    }
}
