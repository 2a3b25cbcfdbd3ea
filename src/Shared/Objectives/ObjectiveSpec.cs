using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Objectives;

/// <summary>
/// What a model is trained for, as JSON: it travels to workers and stands with models. <see cref="Objective.Create"/> makes an objective of it.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ClassificationSpec), "classification")]
[JsonDerivedType(typeof(RegressionSpec), "regression")]
internal abstract record ObjectiveSpec
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Whether each target has one word more: the bits of what the loss of the sample counts for in training.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool HasWeights { get; init; }

    /// <summary>The compact JSON text; <see cref="FromJson"/> reads it back exactly.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="sourceName">Where it comes from, for the message of a refusal.</param>
    /// <exception cref="InputException">The text is not such a document.</exception>
    public static ObjectiveSpec FromJson(string json, string sourceName)
    {
        try
        {
            return JsonSerializer.Deserialize<ObjectiveSpec>(json, Json) ?? throw new JsonException("it is null");
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or NotSupportedException)
        {
            var reason = exception.Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new InputException($"{sourceName}: the objective '{json}' is not valid ({reason})", exception);
        }
    }
}

/// <summary>See <see cref="Classification"/>.</summary>
/// <param name="Classes">Number of classes.</param>
/// <param name="LabelSmoothing">The part of each target that is spread over all classes alike, 0 to below 1.</param>
/// <param name="ClassWeights">How much the loss of a training sample counts by its class; null if all count alike.</param>
internal sealed record ClassificationSpec(int Classes, double LabelSmoothing = 0, IReadOnlyList<double>? ClassWeights = null)
    : ObjectiveSpec;

/// <summary>See <see cref="Regression"/>.</summary>
/// <param name="Targets">What is predicted.</param>
/// <param name="Loss">What is minimised.</param>
/// <param name="HuberDelta">Where a Huber loss becomes a straight line, in deviations of the target; null for the other losses.</param>
internal sealed record RegressionSpec(NumericTargets Targets, RegressionLoss Loss, double? HuberDelta = null) : ObjectiveSpec;
