using Distributed.Kernels.Pooling;

namespace Distributed.Model;

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
    internal override bool TakesParts => true;

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
    internal override bool Absorbs(Activation activation) => _spec.Kind == PoolKind.Max && activation == Activation.Relu;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) =>
        _spec.Kind == PoolKind.Max ? new MaxPoolExecutor(this, options) : new AveragePoolExecutor(this, options);

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
