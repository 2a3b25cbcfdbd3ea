using System.Globalization;

namespace Distributed.Model;

/// <summary>x where it is positive, else slope * x.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="slope">Slope on the left, above 0.</param>
internal sealed class LeakyReluLayer(SampleShape input, float slope) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool TakesParts => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => true;

    /// <inheritdoc/>
    internal override string Description => string.Create(CultureInfo.InvariantCulture, $"leakyrelu {slope}");

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new LeakyReluExecutor(this, slope, options);
}
