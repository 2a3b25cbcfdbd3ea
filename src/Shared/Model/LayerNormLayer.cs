namespace Distributed.Model;

/// <summary>Layer normalisation; weight and bias have the shape of a sample, as those of <c>torch.nn.LayerNorm(sample.shape)</c>.</summary>
internal sealed class LayerNormLayer : Layer
{
    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="epsilon">Added to variances.</param>
    internal LayerNormLayer(SampleShape input, float epsilon)
        : base(input, input)
    {
        Epsilon = epsilon;
        int[] shape = input switch
        {
            { Channels: 1, Height: 1 } => [input.Width],
            { Height: 1, Width: 1 } => [input.Channels],
            _ => [input.Channels, input.Height, input.Width],
        };
        Parameters = [new("weight", shape, InitialValues.Constant(1)), new("bias", shape, InitialValues.Constant(0))];
    }

    /// <summary>Added to variances.</summary>
    internal float Epsilon { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override string Description => LayerNormSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new LayerNormExecutor(this, options);
}
