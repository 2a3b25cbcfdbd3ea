namespace Distributed.Model;

/// <summary>Batch normalisation with one weight, bias, running mean and running variance for each channel, in PyTorch's order.</summary>
internal sealed class BatchNormLayer : Layer
{
    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="spec">The layer as the user asked for it.</param>
    internal BatchNormLayer(SampleShape input, BatchNormSpec spec)
        : base(input, input)
    {
        var isVector = input is { Channels: 1, Height: 1 };
        Channels = isVector ? input.Width : input.Channels;
        Epsilon = spec.Epsilon;
        Parameters =
        [
            new("weight", [Channels], InitialValues.Constant(1)),
            new("bias", [Channels], InitialValues.Constant(0)),
            new("running_mean", [Channels], InitialValues.Constant(0), spec.Momentum),
            new("running_var", [Channels], InitialValues.Constant(1), spec.Momentum),
        ];
    }

    /// <summary>Values that are normalised apart from each other; the features of a plain vector.</summary>
    internal int Channels { get; }

    /// <summary>Added to variances.</summary>
    internal float Epsilon { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override string Description => BatchNormSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new BatchNormExecutor(this, options);
}
