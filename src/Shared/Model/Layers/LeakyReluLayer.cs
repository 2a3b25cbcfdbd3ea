using System.Globalization;
using System.Text.Json;
using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>
/// x where it is positive, else slope * x (A. Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013).
/// </summary>
public sealed record LeakyReluSpec : LayerSpec
{
    /// <summary>The slope where a model file says nothing, as in PyTorch.</summary>
    public const float DefaultSlope = 0.01f;

    /// <summary>The smallest slope: it must be above 0, so that the output tells on which side the input was.</summary>
    public const float MinimumSlope = 0.0001f;

    internal const string TypeName = "leakyrelu";

    /// <summary>Creates a layer of the given slope.</summary>
    /// <param name="slope">Slope on the left, <see cref="MinimumSlope"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The slope is out of range.</exception>
    public LeakyReluSpec(float slope)
    {
        if (!(slope >= MinimumSlope && slope <= 1))
            throw new ArgumentOutOfRangeException(nameof(slope), slope, $"a slope is from {MinimumSlope} to 1");
        Slope = slope;
    }

    /// <summary>Slope on the left.</summary>
    public float Slope { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static LeakyReluSpec Read(LayerFields fields) => new(fields.OptionalNumber("slope", MinimumSlope, 1, DefaultSlope));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("slope", Slope);

    internal override Layer Resolve(SampleShape input) => new LeakyReluLayer(input, Slope);
}

/// <summary>x where it is positive, else slope * x.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="slope">Slope on the left, above 0.</param>
internal sealed class LeakyReluLayer(SampleShape input, float slope) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => true;

    /// <inheritdoc/>
    internal override string Description => string.Create(CultureInfo.InvariantCulture, $"leakyrelu {slope}");

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new LeakyReluExecutor(this, slope, options);
}

/// <summary>Runs a <see cref="LeakyReluLayer"/>; its gradient follows from its output.</summary>
internal sealed class LeakyReluExecutor(LeakyReluLayer layer, float slope, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        Activations.LeakyRelu(input, slope, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        Activations.LeakyReluGradient(backward.Output, slope, backward.OutputGradient, options.Team);
        backward.OutputGradient.CopyTo(backward.InputGradient);
    }
}
