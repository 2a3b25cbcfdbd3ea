using System.Text.Json.Serialization;

namespace Distributed;

/// <summary>
/// The numbers that a model learns to predict, one or several for each sample, with what brings them to mean 0 and deviation 1: a network
/// computes with <c>(value - mean) / deviation</c>, people read values in their own units.
/// </summary>
public sealed class NumericTargets
{
    /// <summary>Describes targets.</summary>
    /// <param name="names">Their names, all different.</param>
    /// <param name="means">The mean of each over the training set.</param>
    /// <param name="deviations">The deviation of each over the training set; 1 where all values are equal.</param>
    /// <exception cref="ArgumentException">The lists do not go together, or a value is not usable.</exception>
    [JsonConstructor]
    public NumericTargets(IReadOnlyList<string> names, IReadOnlyList<double> means, IReadOnlyList<double> deviations)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(means);
        ArgumentNullException.ThrowIfNull(deviations);
        if (names.Count == 0 || names.Any(name => name is null) || names.Distinct(StringComparer.Ordinal).Count() < names.Count)
            throw new ArgumentException("targets need different names, at least one", nameof(names));
        if (means.Count != names.Count || deviations.Count != names.Count)
        {
            throw new ArgumentException(
                $"{names.Count} targets need as many means and deviations, not {means.Count} and {deviations.Count}",
                nameof(means)
            );
        }

        if (!means.All(double.IsFinite) || !deviations.All(deviation => double.IsFinite(deviation) && deviation > 0))
            throw new ArgumentException("means must be finite, deviations finite and positive", nameof(deviations));
        (Names, Means, Deviations) = (names, means, deviations);
    }

    /// <summary>The names, in the order of the outputs.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What is subtracted from each target.</summary>
    public IReadOnlyList<double> Means { get; }

    /// <summary>What each target is divided by after that; above 0.</summary>
    public IReadOnlyList<double> Deviations { get; }

    /// <summary>How many there are.</summary>
    [JsonIgnore]
    public int Count => Names.Count;

    /// <summary>A value as a network sees it.</summary>
    /// <param name="value">The value in its own units.</param>
    /// <param name="target">Which target it is.</param>
    internal float Standardize(double value, int target) => (float)((value - Means[target]) / Deviations[target]);

    /// <summary>A value in its own units.</summary>
    /// <param name="standardized">The value as a network sees it.</param>
    /// <param name="target">Which target it is.</param>
    internal double InOwnUnits(float standardized, int target) => (standardized * Deviations[target]) + Means[target];

    /// <summary>All targets of a sample in their own units.</summary>
    /// <param name="standardized">[<see cref="Count"/>].</param>
    /// <param name="numbers">[<see cref="Count"/>]; overwritten.</param>
    internal void InOwnUnits(ReadOnlySpan<float> standardized, Span<double> numbers)
    {
        for (var target = 0; target < standardized.Length; target++)
            numbers[target] = InOwnUnits(standardized[target], target);
    }
}
