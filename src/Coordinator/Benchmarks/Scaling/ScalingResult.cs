using System.Globalization;
using Distributed.Collectives;

namespace Distributed.Coordinator.Benchmarks.Scaling;

/// <summary>One line of the table: medians over the rounds.</summary>
/// <param name="Workers">Worker processes.</param>
/// <param name="Transport">How gradients travelled.</param>
/// <param name="SamplesPerSecond">Over all workers.</param>
/// <param name="Spread">Half the distance between the quartiles over the median.</param>
/// <param name="Ratio">Samples per second over those of the first line, round by round.</param>
/// <param name="RatioSpread">Likewise.</param>
/// <param name="OfIdeal">The ratio over the one that the workers and the cores would allow.</param>
/// <param name="StepMilliseconds">From one step to the next.</param>
/// <param name="BytesPerStep">What the plan predicts that a worker gives to others in a step.</param>
/// <param name="AllReduceMilliseconds">Of as many bytes without training; null for a worker alone.</param>
/// <param name="CopyMilliseconds">Of as many bytes, by every worker at once; null for a worker alone.</param>
/// <param name="CoordinatorShare">The coordinator's processor time, where 1 is a whole core.</param>
/// <param name="PeakResidentBytes">The most memory that a worker has had resident; null where the system does not say.</param>
/// <param name="AccountedBytes">The part of it that weights, gradient, optimizer state, activations and the spare state take.</param>
internal sealed record ScalingResult(
    int Workers,
    string Transport,
    double SamplesPerSecond,
    double Spread,
    double Ratio,
    double RatioSpread,
    double OfIdeal,
    double StepMilliseconds,
    long BytesPerStep,
    double? AllReduceMilliseconds,
    double? CopyMilliseconds,
    double CoordinatorShare,
    long? PeakResidentBytes,
    long AccountedBytes
)
{
    private const double Mebibyte = 1 << 20;

    /// <summary>The heads of the columns.</summary>
    internal static string Head { get; } =
        $"{"workers", 8}{"transport", 11}{"samples/s", 11}{"spread", 8}{"ratio", 7}{"spread", 8}{"of ideal", 10}{"ms a step", 11}{"MiB a step", 12}{"all-reduce ms", 15}{"copy ms", 9}{"coordinator", 13}{"resident MB", 13}{"accounted", 11}{"beyond", 8}";

    /// <summary>Sums the rounds up.</summary>
    /// <param name="workers">Worker processes.</param>
    /// <param name="samples">What the rounds have shown.</param>
    /// <param name="first">What they have shown with the number of workers that ratios refer to.</param>
    /// <param name="plan">What was known before.</param>
    /// <param name="ideal">The ratio that the workers and the cores would allow.</param>
    /// <param name="exchange">The exchange by itself; null for a worker alone.</param>
    internal static ScalingResult Of(
        int workers,
        IReadOnlyList<ScalingSample> samples,
        IReadOnlyList<ScalingSample> first,
        ScalingPlan plan,
        double ideal,
        AllReduceTimings? exchange
    )
    {
        double[] rates = [.. samples.Select(sample => sample.SamplesPerSecond)];
        double[] ratios = [.. rates.Zip(first, (rate, reference) => rate / reference.SamplesPerSecond)];
        return new ScalingResult(
            workers,
            samples[0].Transport,
            Quantiles.Median(rates),
            Quantiles.Spread(rates),
            Quantiles.Median(ratios),
            Quantiles.Spread(ratios),
            Quantiles.Median(ratios) / ideal,
            Quantiles.Median([.. samples.Select(sample => sample.StepSeconds)]) * 1e3,
            plan.BytesPerStep,
            exchange is null ? null : Quantiles.Median(exchange.Seconds) * 1e3,
            exchange is null ? null : Quantiles.Median(exchange.CopySeconds) * 1e3,
            Quantiles.Median([.. samples.Select(sample => sample.CoordinatorShare)]),
            samples.Max(sample => sample.PeakResidentBytes),
            plan.AccountedBytes
        );
    }

    /// <summary>The line for people.</summary>
    internal string Text()
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{Workers, 8}{Transport, 11}{SamplesPerSecond, 11:0}{Spread, 8:P0}{Ratio, 7:0.00}{RatioSpread, 8:P0}{OfIdeal, 10:P0}{StepMilliseconds, 11:0.000}{BytesPerStep / Mebibyte, 12:0.00}{Milliseconds(AllReduceMilliseconds), 15}{Milliseconds(CopyMilliseconds), 9}{CoordinatorShare, 13:P1}"
        );
        return line
            + string.Create(
                CultureInfo.InvariantCulture,
                $"{Megabytes(PeakResidentBytes), 13}{Megabytes(AccountedBytes), 11}{Megabytes(PeakResidentBytes - AccountedBytes), 8}"
            );
    }

    private static string Milliseconds(double? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-";

    private static string Megabytes(long? bytes) => bytes is { } value ? (value / 1e6).ToString("0", CultureInfo.InvariantCulture) : "-";
}
