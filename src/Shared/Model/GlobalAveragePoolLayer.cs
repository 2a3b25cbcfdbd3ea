namespace Distributed.Model;

/// <summary>C x H x W becomes C x 1 x 1: the mean of each channel.</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class GlobalAveragePoolLayer(SampleShape input) : Layer(input, new SampleShape(input.Channels, 1, 1))
{
    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => GlobalAveragePoolSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new GlobalAveragePoolExecutor(this, options);
}
