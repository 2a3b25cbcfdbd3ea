using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// Batch normalisation: in training, each channel of a microbatch is normalised by the microbatch's own mean and biased variance; in
/// evaluation, by their running values. A plain vector of features is normalised feature by feature.
/// </summary>
public sealed record BatchNormSpec : LayerSpec
{
    /// <summary>How much of a running value is replaced in a step, where a model file says nothing.</summary>
    public const float DefaultMomentum = 0.1f;

    /// <summary>What is added to variances, where a model file says nothing.</summary>
    public const float DefaultEpsilon = 1e-5f;

    /// <summary>The smallest epsilon: with less, a channel without variance would overflow.</summary>
    public const float MinimumEpsilon = 1e-8f;

    internal const string TypeName = "batchnorm";

    /// <summary>Creates a layer.</summary>
    /// <param name="momentum">The part of a running value that a step replaces, 0 to 1.</param>
    /// <param name="epsilon">Added to variances, <see cref="MinimumEpsilon"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public BatchNormSpec(float momentum = DefaultMomentum, float epsilon = DefaultEpsilon)
    {
        if (!(momentum >= 0 && momentum <= 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "a momentum is from 0 to 1");
        if (!(epsilon >= MinimumEpsilon && epsilon <= 1))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"an epsilon is from {MinimumEpsilon} to 1");
        Momentum = momentum;
        Epsilon = epsilon;
    }

    /// <summary>The part of a running value that a step replaces.</summary>
    public float Momentum { get; }

    /// <summary>Added to variances.</summary>
    public float Epsilon { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static BatchNormSpec Read(LayerFields fields) =>
        new(fields.OptionalNumber("momentum", 0, 1, DefaultMomentum), fields.OptionalNumber("epsilon", MinimumEpsilon, 1, DefaultEpsilon));

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        writer.WriteNumber("momentum", Momentum);
        writer.WriteNumber("epsilon", Epsilon);
    }

    internal override Layer Resolve(SampleShape input) => new BatchNormLayer(input, this);
}
