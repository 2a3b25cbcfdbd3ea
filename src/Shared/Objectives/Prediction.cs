namespace Distributed.Objectives;

/// <summary>What a model says of a sample.</summary>
/// <param name="Value">The name of the most probable class.</param>
/// <param name="Probabilities">The probability of each class, in the order of the model's classes.</param>
public sealed record Prediction(string Value, IReadOnlyList<float> Probabilities);
