using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// In training, sets each activation to zero with the probability of the rate and scales the others by 1 / (1 - rate); nothing in
/// evaluation.
/// </summary>
public sealed record DropoutSpec : LayerSpec
{
    /// <summary>The highest rate: above it, what is left of a layer would no longer carry a signal.</summary>
    public const float MaximumRate = 0.99f;

    internal const string TypeName = "dropout";

    /// <summary>Creates a layer of the given rate.</summary>
    /// <param name="rate">The part that is dropped, 0 to <see cref="MaximumRate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range.</exception>
    public DropoutSpec(float rate)
    {
        if (!(rate >= 0 && rate <= MaximumRate))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, $"a rate is from 0 to {MaximumRate}");
        Rate = rate;
    }

    /// <summary>The part of the activations that is dropped.</summary>
    public float Rate { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static DropoutSpec Read(LayerFields fields) => new(fields.RequireNumber("rate", 0, MaximumRate));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("rate", Rate);

    internal override Layer Resolve(SampleShape input) => new DropoutLayer(input, Rate);
}
