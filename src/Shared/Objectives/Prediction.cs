using System.Globalization;

namespace Distributed.Objectives;

/// <summary>What a model says of a sample.</summary>
/// <param name="Value">The name of the most probable class; or the predicted numbers as text, with a semicolon between several.</param>
/// <param name="Probabilities">
/// The probability of each class, in the order of the model's classes; empty where numbers are predicted.
/// </param>
public sealed record Prediction(string Value, IReadOnlyList<float> Probabilities)
{
    /// <summary>The predicted numbers in their own units, in the order of the model's targets; empty where classes are predicted.</summary>
    public IReadOnlyList<double> Numbers { get; init; } = [];

    /// <summary>The predicted number of a model with one numeric target; null for classes, and for several numbers.</summary>
    public double? Number => Numbers.Count == 1 ? Numbers[0] : null;

    /// <summary>A prediction of numbers.</summary>
    internal static Prediction OfNumbers(IReadOnlyList<double> numbers) =>
        new(string.Join("; ", numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))), []) { Numbers = numbers };
}
