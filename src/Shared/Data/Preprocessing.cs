using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Data;

/// <summary>
/// How a stored sample becomes the numbers a network sees. Either each value is a byte that is divided by
/// <see cref="ByteDivisor"/>, or it is a 32-bit float, already standardised when it was read, with the column means and
/// deviations kept here so that a trained model can be applied to new values.
/// </summary>
public sealed class Preprocessing
{
    private Preprocessing(float? byteDivisor, IReadOnlyList<double> means, IReadOnlyList<double> deviations)
    {
        ByteDivisor = byteDivisor;
        Means = means;
        Deviations = deviations;
    }

    /// <summary>Floats as they are in the file.</summary>
    public static Preprocessing None { get; } = new(null, [], []);

    /// <summary>What a byte is divided by, or null if values are floats.</summary>
    public float? ByteDivisor { get; }

    /// <summary>What was subtracted from each column, or empty if the columns were not standardised.</summary>
    public IReadOnlyList<double> Means { get; }

    /// <summary>What each column was divided by after that, or empty if the columns were not standardised.</summary>
    public IReadOnlyList<double> Deviations { get; }

    /// <summary>Bytes that are divided by a number.</summary>
    /// <param name="divisor">The number, such as 255; positive and finite.</param>
    public static Preprocessing Bytes(float divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        ArgumentOutOfRangeException.ThrowIfEqual(float.IsFinite(divisor), false, nameof(divisor));
        return new Preprocessing(divisor, [], []);
    }

    /// <summary>Floats that were standardised column by column: <c>(value - mean) / deviation</c>.</summary>
    /// <param name="means">One mean for each column.</param>
    /// <param name="deviations">One deviation for each column; none is 0.</param>
    public static Preprocessing Standardized(IReadOnlyList<double> means, IReadOnlyList<double> deviations)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(deviations.Count, means.Count);
        if (!means.All(double.IsFinite) || !deviations.All(deviation => double.IsFinite(deviation) && deviation > 0))
        {
            throw new ArgumentException("Means must be finite, deviations finite and positive.", nameof(deviations));
        }

        return new Preprocessing(null, means, deviations);
    }

    /// <summary>The number that a network sees of a raw value, as training saw it.</summary>
    /// <param name="value">The value as it is in the data: for bytes, from 0 to 255.</param>
    /// <param name="column">Which value of the sample it is.</param>
    internal float Apply(double value, int column)
    {
        if (ByteDivisor is { } divisor)
            return (float)value / divisor;
        return Means.Count == 0 ? (float)value : (float)((value - Means[column]) / Deviations[column]);
    }

    /// <summary>The compact JSON text that travels with models and to workers; <see cref="FromJson"/> reads it back exactly.</summary>
    public string ToJson() => JsonSerializer.Serialize(new Document(ByteDivisor, NullIfEmpty(Means), NullIfEmpty(Deviations)));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="sourceName">Where it comes from, for the message of a refusal.</param>
    /// <exception cref="InputException">The text is not such a document.</exception>
    public static Preprocessing FromJson(string json, string sourceName)
    {
        try
        {
            var document = JsonSerializer.Deserialize<Document>(json) ?? throw new JsonException("it is null");
            return document switch
            {
                { ByteDivisor: float divisor, Means: null, Deviations: null } => Bytes(divisor),
                { ByteDivisor: null, Means: { } means, Deviations: { } deviations } => Standardized(means, deviations),
                { ByteDivisor: null, Means: null, Deviations: null } => None,
                _ => throw new JsonException("it is neither bytes nor standardised columns"),
            };
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InputException($"{sourceName}: the preprocessing '{json}' is not valid ({e.Message}); export the model again", e);
        }
    }

    private static IReadOnlyList<double>? NullIfEmpty(IReadOnlyList<double> values) => values.Count == 0 ? null : values;

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Document(
        [property: JsonPropertyName("byteDivisor"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] float? ByteDivisor,
        [property: JsonPropertyName("means"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<double>? Means,
        [property: JsonPropertyName("deviations"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
            IReadOnlyList<double>? Deviations
    );
}
