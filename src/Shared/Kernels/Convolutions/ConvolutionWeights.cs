using System.Runtime.CompilerServices;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// A convolution's weights as its register tiles read them: panels of 32 columns, the last one padded with zeros.
/// </summary>
internal sealed unsafe class ConvolutionWeights
{
    private readonly ConvolutionShape _shape;
    private readonly bool _mirrored;
    private readonly int _depth;
    private readonly int _columns;
    private readonly AlignedBuffer _panels;

    private readonly AlignedBuffer _bias;

    /// <summary>Reserves the panels.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="mirrored">
    /// False for the forward pass: [panel][kh][kw][channel][32 filters]. True for the input's gradient: [panel][kh][kw][filter][32
    /// channels] with the taps in descending order.
    /// </param>
    public ConvolutionWeights(in ConvolutionShape shape, bool mirrored)
    {
        _shape = shape;
        _mirrored = mirrored;
        (_depth, _columns) = mirrored ? (shape.Filters, shape.Channels) : (shape.Channels, shape.Filters);
        PanelLength = checked(shape.Taps * _depth * RegisterTile.PanelColumns);
        _panels = new AlignedBuffer(checked(PanelLength * PanelCount));
        _bias = new AlignedBuffer(PanelCount * RegisterTile.PanelColumns);
    }

    public int PanelLength { get; }

    public float* Panels => _panels.Pointer;

    /// <summary>Biases, with zeros where the last panel is padded.</summary>
    public float* Bias => _bias.Pointer;

    private int PanelCount => (_columns + RegisterTile.PanelColumns - 1) / RegisterTile.PanelColumns;

    /// <summary>Replaces the content.</summary>
    /// <param name="weights">[filters, channels, kernel height, kernel width].</param>
    /// <param name="team">The threads to share the work.</param>
    public void Pack(ReadOnlySpan<float> weights, ComputeTeam team)
    {
        fixed (float* source = weights)
            team.Run(new PackWork(source, _shape, _mirrored, PanelLength, Panels));
        GC.KeepAlive(this);
    }

    /// <summary>Replaces the biases.</summary>
    /// <param name="bias">[columns], or empty: then all are -0, the one number that changes nothing it is added to.</param>
    public void PackBias(ReadOnlySpan<float> bias)
    {
        if (bias.IsEmpty)
            _bias.Span.Fill(-0f);
        else
            bias.CopyTo(_bias.Span);
    }

    private readonly struct PackWork(float* source, ConvolutionShape shape, bool mirrored, int panelLength, float* panels) : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            var (depth, columns) = mirrored ? (shape.Filters, shape.Channels) : (shape.Channels, shape.Filters);
            var (start, end) = ChunkRange.Of(depth, 1, chunk, chunks);
            for (var panel = 0; panel < columns; panel += RegisterTile.PanelColumns)
            {
                for (var k = start; k < end; k++)
                    PackRow(k, depth, panel, Math.Min(columns, panel + RegisterTile.PanelColumns), columns);
            }
        }

        /// <summary>One row of a panel for each tap.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void PackRow(int k, int depth, int column, int end, int columns)
        {
            var destination = panels + ((nint)(column / RegisterTile.PanelColumns) * panelLength) + (k * RegisterTile.PanelColumns);
            for (; column < end; column++, destination++)
            {
                PackTaps(
                    mirrored ? ((nint)k * columns) + column : ((nint)column * depth) + k,
                    (nint)depth * RegisterTile.PanelColumns,
                    destination
                );
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void PackTaps(nint kernel, nint stride, float* destination)
        {
            var taps = source + (kernel * shape.Taps);
            var count = shape.Taps;
            for (var tap = 0; tap < count; tap++)
                destination[(mirrored ? count - 1 - tap : tap) * stride] = taps[tap];
        }
    }
}
