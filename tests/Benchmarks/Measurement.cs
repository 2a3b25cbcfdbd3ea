using System.Diagnostics;

namespace Distributed.Benchmarks;

/// <summary>Repeated timings of one thing, in seconds.</summary>
internal sealed class Measurement
{
    private const double SliceSeconds = 0.05;

    private readonly List<double> _seconds = [];

    public void Add(double seconds) => _seconds.Add(seconds);

    public double Median => Quantile(0.5);

    /// <summary>Half the distance between the quartiles, as a share of the median.</summary>
    public double Spread => (Quantile(0.75) - Quantile(0.25)) / 2 / Median;

    /// <summary>Seconds of one call: the mean over as many as fill a slice, after one to warm up.</summary>
    public static double Time(Action action)
    {
        action();
        long start = Stopwatch.GetTimestamp();
        int count = 0;
        do
        {
            action();
            count++;
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < SliceSeconds);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
    }

    private double Quantile(double share)
    {
        if (_seconds.Count == 0)
            return double.NaN;
        double[] sorted = [.. _seconds.Order()];
        return sorted[(int)Math.Round(share * (sorted.Length - 1))];
    }
}
