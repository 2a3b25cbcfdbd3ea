using System.Globalization;
using Distributed.Collectives;
using Distributed.Coordinator.Benchmarks;
using Distributed.Coordinator.Options;

namespace Distributed.Coordinator.Commands;

/// <summary><c>bench allreduce</c>: what summing a vector over workers takes, beside what copying it takes on this machine.</summary>
/// <param name="console">Where to write.</param>
internal sealed class BenchCommand(CommandConsole console)
{
    /// <summary>Measures each size in turn and writes a line for it.</summary>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="RunFailedException">A worker has failed.</exception>
    internal async Task<int> AllReduceAsync(BenchSettings settings)
    {
        await using var workers =
            settings.Hosts.Count == 0
                ? await AllReduceWorkers.StartAsync(settings.Workers)
                : await AllReduceWorkers.StartAsync(settings.Hosts, settings.LauncherWords);
        if (!settings.Json)
            WriteHead(settings);
        foreach (var size in settings.Sizes)
        {
            var timings = await workers.TimeAsync(settings.Transport, BenchSettings.Elements(size), settings.Steps, settings.InPlace);
            var result = AllReduceResult.Of(size, timings);
            console.Output.WriteLine(settings.Json ? StrictJson.Serialize(result) : result.Text());
        }

        return ExitCodes.Done;
    }

    private void WriteHead(BenchSettings settings)
    {
        console.Output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"all-reduce over {(settings.Hosts.Count == 0 ? settings.Workers : settings.Hosts.Count)} workers with one thread each, {(settings.InPlace ? "in place" : "from ordinary memory to ordinary memory")}; medians of {settings.Steps} steps, half the distance between the quartiles"
            )
        );
        console.Output.WriteLine(
            "copy: every worker copies as many bytes at the same time, which is what this machine's memory allows; "
                + "MiB given: by a worker to the others in a step"
        );
        console.Output.WriteLine(
            $"{"MiB", 8}{"transport", 11}{"ms", 10}{"spread", 8}{"GB/s", 8}{"MiB given", 11}{"copy ms", 10}{"ratio", 8}"
        );
    }
}

/// <summary>One line of the table.</summary>
/// <param name="Mebibytes">The vector's size.</param>
/// <param name="Transport">How it travelled.</param>
/// <param name="Milliseconds">The median of an all-reduce.</param>
/// <param name="Spread">Half the distance between the quartiles over the median.</param>
/// <param name="MebibytesGiven">What a worker gives to others in a step.</param>
/// <param name="CopyMilliseconds">The median of copying the vector.</param>
internal sealed record AllReduceResult(
    double Mebibytes,
    string Transport,
    double Milliseconds,
    double Spread,
    double MebibytesGiven,
    double CopyMilliseconds
)
{
    private const double Mebibyte = 1 << 20;

    /// <summary>Sums timings up.</summary>
    internal static AllReduceResult Of(double size, AllReduceTimings timings) =>
        new(
            size,
            timings.Transport,
            Quantiles.Median(timings.Seconds) * 1e3,
            Quantiles.Spread(timings.Seconds),
            timings.BytesSent / Mebibyte,
            Quantiles.Median(timings.CopySeconds) * 1e3
        );

    /// <summary>The line for people.</summary>
    internal string Text() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Mebibytes, 8:0.##}{Transport, 11}{Milliseconds, 10:0.000}{Spread, 8:P0}{Mebibytes * Mebibyte / Milliseconds / 1e6, 8:0.0}{MebibytesGiven, 11:0.00}{CopyMilliseconds, 10:0.000}{Milliseconds / CopyMilliseconds, 8:0.0}"
        );
}
