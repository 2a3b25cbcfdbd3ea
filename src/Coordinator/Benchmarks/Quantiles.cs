namespace Distributed.Coordinator.Benchmarks;

/// <summary>Summary statistics of repeated measurements.</summary>
internal static class Quantiles
{
    /// <summary>
    /// The value that a share of all values is at most as large as; of an even number of values, the median is the upper one of the middle.
    /// </summary>
    /// <param name="values">At least one value.</param>
    /// <param name="share">From 0 to 1.</param>
    internal static double At(IReadOnlyList<double> values, double share) =>
        values.Order().ElementAt((int)Math.Round(share * (values.Count - 1), MidpointRounding.AwayFromZero));

    /// <summary>The median.</summary>
    internal static double Median(IReadOnlyList<double> values) => At(values, 0.5);

    /// <summary>Half the distance between the quartiles over the median.</summary>
    internal static double Spread(IReadOnlyList<double> values) => (At(values, 0.75) - At(values, 0.25)) / 2 / Median(values);
}
