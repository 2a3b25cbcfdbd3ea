using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Data.Tables;

namespace Distributed.Data;

/// <summary>The JSON form of a <see cref="Preprocessing"/>.</summary>
internal static class PreprocessingJson
{
    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The compact text.</summary>
    public static string Write(Preprocessing preprocessing) =>
        JsonSerializer.Serialize(
            new Document(
                preprocessing.ByteDivisor,
                NullIfEmpty(preprocessing.Means),
                NullIfEmpty(preprocessing.Deviations),
                preprocessing.Table?.Columns.Select(Column.Of).ToList(),
                preprocessing.Table?.Missing
            ),
            Options
        );

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InputException">The text is not such a document.</exception>
    public static Preprocessing Read(string json, string sourceName)
    {
        try
        {
            var document = JsonSerializer.Deserialize<Document>(json) ?? throw new JsonException("it is null");
            return document switch
            {
                { ByteDivisor: float divisor, Means: null, Deviations: null, Columns: null } => Preprocessing.Bytes(divisor),
                { ByteDivisor: null, Means: { } means, Deviations: { } deviations, Columns: null } => Preprocessing.Standardized(
                    means,
                    deviations
                ),
                { ByteDivisor: null, Means: null, Deviations: null, Columns: null } => Preprocessing.None,
                { ByteDivisor: null, Means: null, Deviations: null, Columns: { } columns, Missing: { } missing } => Preprocessing.Of(
                    new TableEncoding([.. columns.Select(column => column.Encoding())], missing)
                ),
                _ => throw new JsonException("it is neither bytes nor columns"),
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
        [property: JsonPropertyName("byteDivisor")] float? ByteDivisor,
        [property: JsonPropertyName("means")] IReadOnlyList<double>? Means,
        [property: JsonPropertyName("deviations")] IReadOnlyList<double>? Deviations,
        [property: JsonPropertyName("columns")] IReadOnlyList<Column>? Columns,
        [property: JsonPropertyName("missing")] IReadOnlyList<string>? Missing
    );

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record Column(
        [property: JsonPropertyName("mean")] double? Mean,
        [property: JsonPropertyName("deviation")] double? Deviation,
        [property: JsonPropertyName("fill")] double? Fill,
        [property: JsonPropertyName("gaps")] bool? Gaps,
        [property: JsonPropertyName("words")] IReadOnlyList<string>? Words
    )
    {
        public static Column Of(ColumnEncoding encoding) =>
            encoding switch
            {
                NumberEncoding number => new(number.Mean, number.Deviation, number.Fill, number.HasGaps, Words: null),
                CategoryEncoding category => new(null, null, null, null, category.Words),
                _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "unknown encoding"),
            };

        public ColumnEncoding Encoding() =>
            this switch
            {
                { Mean: double mean, Deviation: double deviation, Fill: double fill, Gaps: bool gaps, Words: null } => new NumberEncoding(
                    mean,
                    deviation,
                    fill,
                    gaps
                ),
                { Mean: null, Deviation: null, Fill: null, Gaps: null, Words: { } words } when words.All(word => word is not null) =>
                    new CategoryEncoding(words),
                _ => throw new JsonException("a column is neither numbers nor words"),
            };
    }
}
