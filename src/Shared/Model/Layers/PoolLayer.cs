using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Pooling;

namespace Distributed.Model.Layers;

/// <summary>A two-dimensional pooling, channel by channel, with PyTorch's meaning of kernel, stride and padding.</summary>
internal sealed record PoolSpec : LayerSpec
{
    /// <summary>Creates a layer.</summary>
    /// <param name="kind">What is made of a window.</param>
    /// <param name="kernel">Rows and columns of a window, each 1 to <see cref="Conv2dSpec.MaximumExtent"/>.</param>
    /// <param name="stride">
    /// From a window to the next, each 1 to <see cref="Conv2dSpec.MaximumExtent"/>; null for the kernel: windows side by side.
    /// </param>
    /// <param name="padding">Rows and columns by which windows may reach out of the image, each 0 to below the kernel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or there is no such kind.</exception>
    public PoolSpec(PoolKind kind, ConvExtent kernel, ConvExtent? stride = null, ConvExtent padding = default)
    {
        Type = NameOf(kind);
        (Kind, Kernel, Stride, Padding) = (kind, kernel, stride ?? kernel, padding);
        CheckRange(Kernel, 1, Conv2dSpec.MaximumExtent, nameof(kernel));
        CheckRange(Stride, 1, Conv2dSpec.MaximumExtent, nameof(stride));
        CheckRange(Padding, 0, Conv2dSpec.MaximumExtent, nameof(padding));
        if (!IsBelow(padding, kernel))
        {
            throw new ArgumentOutOfRangeException(
                nameof(padding),
                padding,
                $"a padding below the kernel of {kernel} leaves no window empty"
            );
        }
    }

    /// <summary>What is made of a window.</summary>
    public PoolKind Kind { get; }

    /// <summary>Rows and columns of a window.</summary>
    public ConvExtent Kernel { get; }

    /// <summary>Rows and columns from a window to the next.</summary>
    public ConvExtent Stride { get; }

    /// <summary>Rows and columns by which windows may reach out of the image.</summary>
    public ConvExtent Padding { get; }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>The name of a kind in model files.</summary>
    internal static string NameOf(PoolKind kind) =>
        kind switch
        {
            PoolKind.Max => "maxpool",
            PoolKind.Average => "avgpool",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind of pooling"),
        };

    internal static PoolSpec Read(PoolKind kind, LayerFields fields)
    {
        var kernel = ConvExtents.Require(fields, "kernel", 1, Conv2dSpec.MaximumExtent);
        var stride = ConvExtents.Optional(fields, "stride", 1, Conv2dSpec.MaximumExtent, kernel);
        var padding = ConvExtents.Optional(fields, "padding", 0, Conv2dSpec.MaximumExtent, default);
        return IsBelow(padding, kernel)
            ? new PoolSpec(kind, kernel, stride, padding)
            : throw fields.Error($"'padding' is {padding}, but the kernel is {kernel}: use a padding below the kernel");
    }

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        ConvExtents.Write(writer, "kernel", Kernel);
        ConvExtents.Write(writer, "stride", Stride);
        ConvExtents.Write(writer, "padding", Padding);
    }

    internal override Layer Resolve(SampleShape input) => new PoolLayer(input, this);

    private static bool IsBelow(ConvExtent padding, ConvExtent kernel) => padding.Height < kernel.Height && padding.Width < kernel.Width;

    private static void CheckRange(ConvExtent extent, int minimum, int maximum, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(extent.Height, extent.Width), minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(extent.Height, extent.Width), maximum, name);
    }
}

/// <summary>What a pooling layer makes of a window.</summary>
internal enum PoolKind
{
    /// <summary>The largest element; padding never wins.</summary>
    Max = 0,

    /// <summary>The mean of the elements; padding does not count as elements.</summary>
    Average,
}

/// <summary>A pooling whose sizes are settled.</summary>
internal sealed class PoolLayer : Layer
{
    private readonly PoolSpec _spec;

    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="spec">The layer as the user asked for it.</param>
    /// <exception cref="InputException">The kernel does not fit into the padded input.</exception>
    internal PoolLayer(SampleShape input, PoolSpec spec)
        : base(input, OutputOf(input, spec))
    {
        _spec = spec;
        Shape = ShapeOf(input, spec);
    }

    /// <summary>The sizes as the kernels take them.</summary>
    internal PoolingShape Shape { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override long KeptLength => _spec.Kind == PoolKind.Max ? OutputLength : 0; // the places of the largest

    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description
    {
        get
        {
            var pooling = $"{_spec.Type} {_spec.Kernel}";
            return _spec.Stride == _spec.Kernel ? pooling : $"{pooling} / {_spec.Stride}";
        }
    }

    /// <inheritdoc/>
    internal override bool FusesGradientOf(Activation activation) => _spec.Kind == PoolKind.Max && activation == Activation.Relu;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) =>
        _spec.Kind == PoolKind.Max ? new MaxPoolExecutor(this, options) : new AveragePoolExecutor(this, options);

    /// <inheritdoc/>
    /// <remarks>Padding counts as no element of a mean, as is the default of AveragePool.</remarks>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
        graph.Add(
            _spec.Kind == PoolKind.Max ? "MaxPool" : "AveragePool",
            [graph.AsImage(input, Input)],
            ConvExtents.WindowAttributes(_spec.Kernel, _spec.Stride, _spec.Padding)
        );

    private static SampleShape OutputOf(SampleShape input, PoolSpec spec)
    {
        var shape = ShapeOf(input, spec);
        if (shape.OutputHeight < 1 || shape.OutputWidth < 1)
            throw new InputException($"a window of {spec.Kernel} does not fit into {input} padded by {spec.Padding}: use a smaller kernel");
        return new SampleShape(input.Channels, shape.OutputHeight, shape.OutputWidth);
    }

    private static PoolingShape ShapeOf(SampleShape input, PoolSpec spec) =>
        new(
            input.Height,
            input.Width,
            input.Channels,
            spec.Kernel.Height,
            spec.Kernel.Width,
            spec.Stride.Height,
            spec.Stride.Width,
            spec.Padding.Height,
            spec.Padding.Width
        );
}

/// <summary>Runs a <see cref="PoolLayer"/> of maxima.</summary>
internal sealed class MaxPoolExecutor(PoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly AlignedBuffer _winners = Reserve(options.MaximumRows, layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        var winners = pass.Training && options.NeedsInputGradient ? _winners.Span.Slice(pass.RowsBefore * OutputLength, output.Length) : [];
        MaxPooling.Forward(input, layer.Shape, rows, output, winners, options.FusedGradient == Activation.Relu, options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        var winners = _winners.Span.Slice(backward.Pass.RowsBefore * OutputLength, backward.OutputGradient.Length);
        MaxPooling.Backward(winners, backward.OutputGradient, layer.Shape, backward.Rows, backward.InputGradient, options.Team);
    }
}

/// <summary>Runs a <see cref="PoolLayer"/> of means.</summary>
internal sealed class AveragePoolExecutor(PoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        AveragePooling.Forward(input, layer.Shape, rows, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) =>
        AveragePooling.Backward(backward.OutputGradient, layer.Shape, backward.Rows, backward.InputGradient, options.Team);
}
