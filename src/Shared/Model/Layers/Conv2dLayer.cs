using System.Globalization;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Convolutions;
using Distributed.Kernels.Threads;

namespace Distributed.Model.Layers;

/// <summary>A two-dimensional convolution with PyTorch's meaning of kernel, stride and zero padding.</summary>
internal sealed record Conv2dSpec : LayerSpec
{
    /// <summary>The most filters a layer can have.</summary>
    public const int MaximumFilters = 1 << 16;

    /// <summary>The largest kernel, stride and padding, in pixels.</summary>
    public const int MaximumExtent = 1 << 10;

    internal const string TypeName = "conv2d";

    /// <summary>Creates a layer.</summary>
    /// <param name="filters">Channels of the output, 1 to <see cref="MaximumFilters"/>.</param>
    /// <param name="kernel">Rows and columns of the kernel, each 1 to <see cref="MaximumExtent"/>.</param>
    /// <param name="stride">Input pixels from an output pixel to the next, 1 to <see cref="MaximumExtent"/>.</param>
    /// <param name="padding">
    /// Rows above and below, and columns left and right, that are taken as zero, each 0 to <see cref="MaximumExtent"/>.
    /// </param>
    /// <param name="bias">Whether a number per filter is added.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public Conv2dSpec(int filters, ConvExtent kernel, int stride = 1, ConvExtent padding = default, bool bias = true)
    {
        CheckRange(filters, 1, MaximumFilters, nameof(filters));
        CheckRange(kernel.Height, 1, MaximumExtent, nameof(kernel));
        CheckRange(kernel.Width, 1, MaximumExtent, nameof(kernel));
        CheckRange(stride, 1, MaximumExtent, nameof(stride));
        CheckRange(padding.Height, 0, MaximumExtent, nameof(padding));
        CheckRange(padding.Width, 0, MaximumExtent, nameof(padding));
        (Filters, Kernel, Stride, Padding, Bias) = (filters, kernel, stride, padding, bias);
    }

    /// <summary>Channels of the output.</summary>
    public int Filters { get; }

    /// <summary>Rows and columns of the kernel.</summary>
    public ConvExtent Kernel { get; }

    /// <summary>Input pixels from an output pixel to the next, in both directions.</summary>
    public int Stride { get; }

    /// <summary>Rows above and below, and columns left and right, that are taken as zero.</summary>
    public ConvExtent Padding { get; }

    /// <summary>Whether a number per filter is added.</summary>
    public bool Bias { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static Conv2dSpec Read(LayerFields fields)
    {
        var filters = fields.RequireInteger("filters", 1, MaximumFilters);
        var kernel = ConvExtents.Require(fields, "kernel", 1, MaximumExtent);
        var stride = fields.OptionalInteger("stride", 1, MaximumExtent, defaultValue: 1);
        var padding = ConvExtents.ReadPadding(fields, kernel, stride);
        return new Conv2dSpec(filters, kernel, stride, padding, fields.OptionalBoolean("bias", defaultValue: true));
    }

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        writer.WriteNumber("filters", Filters);
        ConvExtents.Write(writer, "kernel", Kernel);
        writer.WriteNumber("stride", Stride);
        ConvExtents.Write(writer, "padding", Padding);
        writer.WriteBoolean("bias", Bias);
    }

    internal override Layer Resolve(SampleShape input) => new Conv2dLayer(input, this, Activation.None);

    private static void CheckRange(int value, int minimum, int maximum, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
    }
}

/// <summary>
/// A convolution, y = activation(x * W + b), with W in PyTorch's layout [filters, channels, kernel height, kernel width].
/// </summary>
internal sealed class Conv2dLayer : Layer
{
    /// <summary>
    /// The most multiply-adds for one filter of one sample: 3x3 over 64 channels of 1,024 x 1,024 pixels take half of them.
    /// </summary>
    private const long MaximumTerms = 1L << 30;

    private readonly Conv2dSpec _spec;
    private readonly Activation _activation;

    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="spec">The layer as the user asked for it.</param>
    /// <param name="activation">Applied to the output in the same pass as the bias.</param>
    /// <exception cref="InputException">
    /// The kernel does not fit into the padded input, or takes more multiply-adds than can be planned.
    /// </exception>
    internal Conv2dLayer(SampleShape input, Conv2dSpec spec, Activation activation)
        : base(input, OutputOf(input, spec))
    {
        _spec = spec;
        _activation = activation;
        Shape = ShapeOf(input, spec);
        var taps = (long)spec.Kernel.Height * spec.Kernel.Width;
        LayerParameter weight = new(
            "weight",
            [spec.Filters, input.Channels, spec.Kernel.Height, spec.Kernel.Width],
            InitialValues.Uniform(WeightInitialization.Bound(activation, input.Channels * taps, spec.Filters * taps))
        );
        Parameters = spec.Bias ? [weight, new("bias", [spec.Filters], InitialValues.Constant(0))] : [weight];
    }

    /// <summary>The sizes as the kernels take them.</summary>
    internal ConvolutionShape Shape { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override Activation LastActivation => _activation;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => _activation != Activation.None;

    /// <inheritdoc/>
    internal override string Description
    {
        get
        {
            var convolution = string.Create(CultureInfo.InvariantCulture, $"conv2d {_spec.Filters} of {_spec.Kernel}");
            var strided = _spec.Stride == 1 ? convolution : string.Create(CultureInfo.InvariantCulture, $"{convolution} / {_spec.Stride}");
            return _activation == Activation.None ? strided : $"{strided}, {ActivationSpec.NameOf(_activation)}";
        }
    }

    /// <inheritdoc/>
    internal override Layer? WithActivation(Activation activation) =>
        _activation == Activation.None && Conv2dExecutor.CanApply(activation) ? new Conv2dLayer(Input, _spec, activation) : null;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new Conv2dExecutor(this, _activation, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var convolution = graph.Add(
            "Conv",
            [graph.AsImage(input, Input), .. parameters],
            ConvExtents.WindowAttributes(_spec.Kernel, ConvExtent.Square(_spec.Stride), _spec.Padding)
        );
        return ActivationFunctions.AddTo(graph, _activation, convolution);
    }

    private static SampleShape OutputOf(SampleShape input, Conv2dSpec spec)
    {
        var shape = ShapeOf(input, spec);
        if (shape.OutputHeight < 1 || shape.OutputWidth < 1)
        {
            throw new InputException(
                $"a kernel of {spec.Kernel} does not fit into {input} padded by {spec.Padding}: use a smaller kernel or more padding"
            );
        }

        var terms = (double)input.Channels * spec.Kernel.Height * spec.Kernel.Width * shape.OutputHeight * shape.OutputWidth;
        if (terms > MaximumTerms)
        {
            throw new InputException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a kernel of {spec.Kernel} over {input} padded by {spec.Padding} takes {terms:N0} multiply-adds a filter: "
                        + $"use a smaller kernel or less padding"
                )
            );
        }

        return new SampleShape(spec.Filters, shape.OutputHeight, shape.OutputWidth);
    }

    private static ConvolutionShape ShapeOf(SampleShape input, Conv2dSpec spec) =>
        new(
            input.Height,
            input.Width,
            input.Channels,
            spec.Filters,
            spec.Kernel.Height,
            spec.Kernel.Width,
            spec.Stride,
            spec.Padding.Height,
            spec.Padding.Width
        );
}

/// <summary>
/// Runs a <see cref="Conv2dLayer"/>. Bias and activation are part of the forward kernel; weights are packed once, when they are bound.
/// </summary>
internal sealed class Conv2dExecutor : LayerExecutor
{
    private readonly Conv2dLayer _layer;
    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly Convolution _convolution;

    /// <summary>Reserves what the kernels need.</summary>
    internal Conv2dExecutor(Conv2dLayer layer, Activation activation, ExecutorOptions options)
        : base(layer)
    {
        _layer = layer;
        _activation = activation;
        _options = options;
        _convolution = Create(layer, options);
    }

    /// <summary>Whether the forward kernel knows a function.</summary>
    internal static bool CanApply(Activation activation) => activation is Activation.Relu or Activation.Tanh or Activation.Sigmoid;

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        var weights = _layer.Shape.WeightLength;
        _convolution.BindWeights(parameters.Span[..weights], parameters.Span[weights..], _options.Team);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        switch (_activation)
        {
            case Activation.None:
                _convolution.Forward<IdentityActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Relu:
                _convolution.Forward<ReluActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Tanh:
                _convolution.Forward<TanhActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Sigmoid:
                _convolution.Forward<SigmoidActivation>(input, rows, output, _options.Team);
                break;
            default:
                throw new InvalidOperationException($"{_activation} is not part of the kernel");
        }
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        if (!_options.NextFusesGradient)
            ActivationFunctions.ApplyGradient(_activation, backward.Output, backward.OutputGradient, _options.Team);
        if (backward.Pass.ThreadRows.Rows > 0)
            ThreadGradient(backward);
        else
            ParameterGradient(backward);
        if (_options.NeedsInputGradient)
            _convolution.InputGradient(backward.OutputGradient, backward.Rows, backward.InputGradient, _options.Team);
    }

    /// <inheritdoc/>
    internal override void MergeThreadGradients(in PassSegment segment, int passRows, Span<float> parameterGradient)
    {
        var weights = _layer.Shape.WeightLength;
        _convolution.MergeThreadGradients(segment, passRows, parameterGradient[..weights], parameterGradient[weights..], _options.Team);
    }

    /// <summary>Adds to what this thread has summed; <see cref="MergeThreadGradients"/> completes the gradient.</summary>
    private void ThreadGradient(in BackwardPass backward)
    {
        var (pass, thread) = (backward.Pass, backward.Pass.ThreadRows);
        _convolution.ThreadGradient(
            backward.Input,
            backward.OutputGradient,
            backward.Rows,
            pass.RowsBefore - thread.FirstRow,
            thread,
            hasBias: backward.ParameterGradient.Length > _layer.Shape.WeightLength,
            _options.Team
        );
    }

    private void ParameterGradient(in BackwardPass backward)
    {
        var (pass, weights) = (backward.Pass, _layer.Shape.WeightLength);
        _convolution.ParameterGradient(
            backward.Input,
            backward.OutputGradient,
            backward.Rows,
            pass.RowsBefore,
            pass.RowsBefore + backward.Rows + pass.RowsAfter,
            backward.ParameterGradient[..weights],
            backward.ParameterGradient[weights..],
            _options.Team
        );
    }

    private static Convolution Create(Conv2dLayer layer, ExecutorOptions options)
    {
        try
        {
            return new Convolution(layer.Shape, options.MaximumRows, options.Microbatch, options.NeedsInputGradient, options.Threads);
        }
        catch (OverflowException failure)
        {
            throw new InputException(
                $"{layer.Description}: what its kernels need does not fit in one array: use a smaller kernel or fewer channels",
                failure
            );
        }
    }
}
