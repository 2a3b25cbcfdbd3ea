using Distributed.Kernels;

namespace Distributed.Model.Layers;

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

/// <summary>x * Phi(x).</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class GeluLayer(SampleShape input) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override string Description => GeluSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new GeluExecutor(this, options);
}

/// <summary>
/// Runs a <see cref="GeluLayer"/>. The function falls before it rises, so its gradient needs the input: two inputs can have one output.
/// </summary>
internal sealed class GeluExecutor(GeluLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        Activations.Gelu(input, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        Activations.GeluGradient(backward.Input, backward.OutputGradient, options.Team);
        backward.OutputGradient.CopyTo(backward.InputGradient);
    }
}
