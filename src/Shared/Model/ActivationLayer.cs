namespace Distributed.Model;

/// <summary>An activation function where the layer before it cannot apply it in its own pass.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="activation">The function.</param>
internal sealed class ActivationLayer(SampleShape input, Activation activation) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => true;

    /// <inheritdoc/>
    internal override string Description => ActivationSpec.NameOf(activation);

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ActivationExecutor(this, activation, options);
}
