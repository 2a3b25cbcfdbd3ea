namespace Distributed.Model;

/// <summary>
/// Brings the elements of images into the order that the next layer takes. No model file names it: <see cref="LayerSequence"/> puts it
/// where it is needed.
/// </summary>
/// <param name="shape">Shape of one sample.</param>
/// <param name="order">The order to bring them into.</param>
internal sealed class ChannelOrderLayer(SampleShape shape, ElementOrder order) : Layer(shape, shape)
{
    /// <inheritdoc/>
    internal override ElementOrder Order => order;

    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => order == ElementOrder.Planar ? "to planar" : "to channels-last";

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ChannelOrderExecutor(this, options);
}
