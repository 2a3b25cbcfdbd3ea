using System.Diagnostics;

namespace Distributed.Benchmarks;

/// <summary>Repeated measurements of one thing, such as the seconds of a call, one a round.</summary>
internal sealed class Measurement
{
    private const double SliceSeconds = 0.02;

    private readonly List<double> _values = [];

    public void Add(double value) => _values.Add(value);

    /// <summary>Adds a peer's answer; nothing where there is no such peer.</summary>
    public void AddFrom(Peer? peer, string request)
    {
        if (peer is not null)
            Add(peer.Seconds(request));
    }

    public double Median => Quantile(0.5);

    /// <summary>Half the distance between the quartiles, as a share of the median.</summary>
    public double Spread => (Quantile(0.75) - Quantile(0.25)) / 2 / Median;

    /// <summary>
    /// The second smallest and second largest value: of nine independent ones, they enclose the true median with a probability of 96 %
    /// (1 - 2 (1 + 9) / 2^9), whatever the distribution.
    /// </summary>
    public (double Low, double High) Interval => Between(2);

    /// <summary>The values of a rank, from 1, counted from the smallest and from the largest; none where there are too few.</summary>
    public (double Low, double High) Between(int rank)
    {
        double[] sorted = [.. _values.Order()];
        return sorted.Length >= 2 * rank ? (sorted[rank - 1], sorted[^rank]) : (double.NaN, double.NaN);
    }

    /// <summary>The median and the spread of a ratio, such as <c>1.04 ± 1 %</c>; a dash where nothing was measured.</summary>
    public string AsRatio => _values.Count == 0 ? "-" : $"{Median:F2} ± {Spread:P0}";

    /// <summary>These values over another's, round by round: what disturbs a round disturbs both.</summary>
    public Measurement Over(Measurement other)
    {
        var ratios = new Measurement();
        foreach (var (value, reference) in _values.Zip(other._values))
            ratios.Add(value / reference);
        return ratios;
    }

    /// <summary>Seconds of one call: the mean over as many as fill a slice, after a quarter of it to warm up.</summary>
    public static double Time(Action action, double sliceSeconds = SliceSeconds)
    {
        Mean(action, sliceSeconds / 4);
        return Mean(action, sliceSeconds);
    }

    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));

    private static double Mean(Action action, double sliceSeconds)
    {
        var start = Stopwatch.GetTimestamp();
        var count = 0;
        do
        {
            action();
            count++;
        } while (Stopwatch.GetElapsedTime(start).TotalSeconds < sliceSeconds);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
    }

    private double Quantile(double share)
    {
        if (_values.Count == 0)
            return double.NaN;
        double[] sorted = [.. _values.Order()];
        return sorted[(int)Math.Round(share * (sorted.Length - 1))];
    }
}
