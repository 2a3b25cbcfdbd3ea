using System.Text.Json;

namespace Distributed.Model;

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
