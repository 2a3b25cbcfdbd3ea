using System.Globalization;
using Distributed.Kernels.Convolutions;

namespace Distributed.Model;

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
    internal override bool TakesParts => true;

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
                    $"a kernel of {spec.Kernel} over {input} padded by {spec.Padding} takes {terms:N0} multiply-adds a filter: use a smaller kernel or less padding"
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
