using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Data;

namespace Distributed.Training;

/// <summary>How much the loss of a training sample counts by its class. Evaluation counts all samples alike.</summary>
[JsonConverter(typeof(ClassWeightsConverter))]
public sealed record ClassWeights
{
    /// <summary>The name of <see cref="Balanced"/>.</summary>
    internal const string BalancedName = "balanced";

    private ClassWeights(IReadOnlyList<double>? numbers) => Numbers = numbers;

    /// <summary>
    /// As if all classes were equally frequent: n / (k n_c) for each of the n_c samples of one of k classes among n training samples.
    /// </summary>
    public static ClassWeights Balanced { get; } = new(numbers: null);

    /// <summary>The weight of each class, in their order; null for those that follow from the data.</summary>
    public IReadOnlyList<double>? Numbers { get; }

    /// <summary>Given weights.</summary>
    /// <param name="numbers">The weight of each class, in their order.</param>
    public static ClassWeights Of(params IReadOnlyList<double> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        return new ClassWeights(numbers);
    }

    /// <inheritdoc/>
    public bool Equals(ClassWeights? other) =>
        other is not null && (Numbers is null ? other.Numbers is null : other.Numbers is not null && Numbers.SequenceEqual(other.Numbers));

    /// <inheritdoc/>
    public override int GetHashCode() => Numbers?.Count ?? -1;

    /// <summary>The weights as the command line has them.</summary>
    public override string ToString() =>
        Numbers is null ? BalancedName : string.Join(',', Numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The weights over data. A class without training samples has the weight 1, and does not count as a class.</summary>
    /// <param name="dataset">Its training set is counted.</param>
    /// <exception cref="InvalidOptionsException">There are more or fewer weights than classes.</exception>
    internal ClassWeights For(Dataset dataset)
    {
        var classes = dataset.ClassNames.Count;
        if (Numbers is { } given)
        {
            return given.Count == classes
                ? this
                : throw new InvalidOptionsException(
                    nameof(TrainingOptions),
                    [
                        new OptionError(
                            nameof(TrainingOptions.ClassWeights),
                            ToString(),
                            $"must be {classes}, one for each class in their order"
                        ),
                    ]
                );
        }

        var counts = DatasetStatistics.CountLabels(dataset.Train, classes);
        double present = counts.Count(count => count > 0);
        return Of([.. counts.Select(count => count == 0 ? 1 : dataset.Train.Count / (present * count))]);
    }
}

/// <summary>Class weights as <c>config.json</c> has them: a list of numbers, or a name before they are known.</summary>
internal sealed class ClassWeightsConverter : JsonConverter<ClassWeights>
{
    public override ClassWeights Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(ClassWeights.BalancedName))
            return ClassWeights.Balanced;
        return ClassWeights.Of(
            JsonSerializer.Deserialize<double[]>(ref reader, options) ?? throw new JsonException("class weights are null")
        );
    }

    public override void Write(Utf8JsonWriter writer, ClassWeights value, JsonSerializerOptions options)
    {
        if (value.Numbers is { } numbers)
            JsonSerializer.Serialize(writer, numbers, options);
        else
            writer.WriteStringValue(ClassWeights.BalancedName);
    }
}
