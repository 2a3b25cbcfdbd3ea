namespace Distributed.Model;

/// <summary>x * Phi(x).</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class GeluLayer(SampleShape input) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override string Description => GeluSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new GeluExecutor(this, options);
}
