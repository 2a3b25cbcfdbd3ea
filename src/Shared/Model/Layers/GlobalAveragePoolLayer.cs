using Distributed.Graphs;
using Distributed.Kernels.Pooling;

namespace Distributed.Model.Layers;

/// <summary>The mean of each channel over the whole image, of whatever size, as <c>torch.nn.AdaptiveAvgPool2d(1)</c> computes it.</summary>
internal sealed record GlobalAveragePoolSpec : LayerSpec
{
    internal const string TypeName = "globalavgpool";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new GlobalAveragePoolLayer(input);
}

/// <summary>C x H x W becomes C x 1 x 1: the mean of each channel.</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class GlobalAveragePoolLayer(SampleShape input) : Layer(input, new SampleShape(input.Channels, 1, 1))
{
    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => GlobalAveragePoolSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new GlobalAveragePoolExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
        graph.Add("GlobalAveragePool", [graph.AsImage(input, Input)]);
}

/// <summary>Runs a <see cref="GlobalAveragePoolLayer"/>: average pooling with one window, which is the image.</summary>
internal sealed class GlobalAveragePoolExecutor(GlobalAveragePoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly PoolingShape _shape = new(
        layer.Input.Height,
        layer.Input.Width,
        layer.Input.Channels,
        layer.Input.Height,
        layer.Input.Width,
        StrideHeight: 1,
        StrideWidth: 1
    );

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        AveragePooling.Forward(input, _shape, rows, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) =>
        AveragePooling.Backward(backward.OutputGradient, _shape, backward.Rows, backward.InputGradient, options.Team);
}
