namespace Distributed.Model;

/// <summary>
/// x * Phi(x) with the normal distribution's Phi, exact rather than by tanh (D. Hendrycks and K. Gimpel, "Gaussian error linear units",
/// 2016).
/// </summary>
public sealed record GeluSpec : LayerSpec
{
    internal const string TypeName = "gelu";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new GeluLayer(input);
}
