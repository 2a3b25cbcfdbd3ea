using System.Text.Json;

namespace Distributed.Model;

/// <summary>Layer normalisation over all values of a sample, with a weight and a bias for each of them.</summary>
public sealed record LayerNormSpec : LayerSpec
{
    /// <summary>What is added to variances, where a model file says nothing.</summary>
    public const float DefaultEpsilon = 1e-5f;

    internal const string TypeName = "layernorm";

    /// <summary>Creates a layer.</summary>
    /// <param name="epsilon">Added to variances, <see cref="BatchNormSpec.MinimumEpsilon"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public LayerNormSpec(float epsilon = DefaultEpsilon)
    {
        if (!(epsilon >= BatchNormSpec.MinimumEpsilon && epsilon <= 1))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"an epsilon is from {BatchNormSpec.MinimumEpsilon} to 1");
        Epsilon = epsilon;
    }

    /// <summary>Added to variances.</summary>
    public float Epsilon { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static LayerNormSpec Read(LayerFields fields) =>
        new(fields.OptionalNumber("epsilon", BatchNormSpec.MinimumEpsilon, 1, DefaultEpsilon));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("epsilon", Epsilon);

    internal override Layer Resolve(SampleShape input) => new LayerNormLayer(input, Epsilon);
}
