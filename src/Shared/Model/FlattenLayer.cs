namespace Distributed.Model;

/// <summary>C x H x W becomes 1 x 1 x CHW; the values and their planar order stay.</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class FlattenLayer(SampleShape input) : Layer(input, new SampleShape(1, 1, input.Length))
{
    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => FlattenSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new FlattenExecutor(this, options);
}
