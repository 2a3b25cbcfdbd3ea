using System.Globalization;

namespace Distributed.Model;

/// <summary>Inverted dropout.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="rate">The part that is dropped.</param>
internal sealed class DropoutLayer(SampleShape input, float rate) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override int RandomStreams => 1;

    /// <inheritdoc/>
    internal override long KeptLength => OutputLength; // the factors

    /// <inheritdoc/>
    internal override string Description => string.Create(CultureInfo.InvariantCulture, $"dropout {rate}");

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new DropoutExecutor(this, rate, options);
}
