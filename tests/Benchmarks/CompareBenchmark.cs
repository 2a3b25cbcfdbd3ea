using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// This build beside another, such as that of the commit before a change: the step on one core, the all-reduce and the training of two
/// workers. The two run in turn, in pairs whose order alternates, so that both see the same machine.
/// </summary>
/// <param name="other">The other checkout, built for release.</param>
/// <param name="parts">
/// Which of <c>step</c>, <c>allreduce</c> and <c>scaling</c>, none for all; which models; and the seconds of a training, in the first of
/// which both programs are still being compiled.
/// </param>
internal sealed class CompareBenchmark(string other, string[] parts)
{
    private const int Pairs = 9;
    private const int DefaultSeconds = 4;
    private const string Output = "bin/Release/net10.0";

    private static readonly string[] Sizes = ["2.7", "16", "64"];
    private static readonly string[] Parts = ["step", "allreduce", "scaling"];

    private readonly int _seconds = parts.Select(Seconds).FirstOrDefault(seconds => seconds > 0, DefaultSeconds);

    private readonly Build _other = new(
        Path.Combine(other, "tests/Benchmarks", Output, "Distributed.Benchmarks"),
        Path.Combine(other, "src/Coordinator", Output, "coordinator")
    );

    private readonly Build _this = new(Environment.ProcessPath!, TrainingBenchmark.Coordinator);

    private readonly record struct Build(string Benchmarks, string Coordinator)
    {
        // The builds before raw streams had frames in HTTP/2, over the same Unix sockets.
        public string Streams(string name) =>
            TrainingBenchmark.Output(Coordinator, ["bench", "allreduce", "--help"]).Contains("tcp", StringComparison.Ordinal)
                ? name
                : "grpc";
    }

    /// <summary>Compares only the steady state of whole trainings.</summary>
    public void RunAlternating() => AlternatingBenchmark.Run(_other.Coordinator, Models.Select(preset => (preset.Model, 2 * preset.Batch)));

    private IEnumerable<(string Model, int Batch)> Models =>
        ScalingBenchmark
            .Presets.Select(preset => (preset.Name, preset.Batch))
            .Where(preset => parts.Contains(preset.Name) || !ScalingBenchmark.Presets.Any(any => parts.Contains(any.Name)));

    public void Run()
    {
        Console.WriteLine(
            $"Medians of {Pairs} pairs of runs; the interval holds the ratio's median with a probability of 96 %. Ratios above 1: this build is faster."
        );
        Console.WriteLine();
        Console.WriteLine("| what | other | this | speed, this / other | interval |");
        Console.WriteLine("|---|---|---|---|---|");
        if (Includes("step"))
            Steps();
        if (Includes("allreduce"))
            AllReduces();
        if (Includes("scaling"))
            Scalings();
    }

    private static int Seconds(string part) => int.TryParse(part, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;

    private bool Includes(string part) => parts.Contains(part) || !parts.Any(Parts.Contains);

    private void Steps()
    {
        foreach (var (model, _) in Models)
            Compare([$"step of {model}, ms"], build => [StepMilliseconds(build, model)]);
    }

    private void AllReduces()
    {
        foreach (var (label, name) in new[] { ("shm", "shm"), ("Unix sockets", "unix") })
        {
            Compare([.. Sizes.Select(size => $"all-reduce of {size} MiB, {label}, ms")], build =>
                AllReduceMilliseconds(build, name == "shm" ? name : build.Streams(name))
            );
        }
    }

    private void Scalings()
    {
        foreach (var (model, batch) in Models)
        {
            Compare([$"{model}, 2 workers, shm, µs a sample"], build => [SampleMicroseconds(build, model, batch, "shm")]);
            Compare([$"{model}, 2 workers, Unix sockets, µs a sample"], build =>
                [SampleMicroseconds(build, model, batch, build.Streams("tcp"))]
            );
        }
    }

    private void Compare(string[] names, Func<Build, double[]> measure)
    {
        Measurement[] others = [.. names.Select(_ => new Measurement())],
            ours = [.. names.Select(_ => new Measurement())];
        for (var pair = 0; pair < Pairs; pair++)
        {
            if (pair % 2 == 0)
                Add(others, measure(_other));
            Add(ours, measure(_this));
            if (pair % 2 != 0)
                Add(others, measure(_other));
        }

        for (var index = 0; index < names.Length; index++)
        {
            var ratio = others[index].Over(ours[index]);
            var (low, high) = ratio.Interval;
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {names[index]} | {others[index].Median:F3} | {ours[index].Median:F3} | {ratio.Median:F3} | {low:F3} to {high:F3} |"
                )
            );
        }
    }

    private static void Add(Measurement[] series, double[] values)
    {
        for (var index = 0; index < series.Length; index++)
            series[index].Add(values[index]);
    }

    // The second cell of the table's only row.
    private static double StepMilliseconds(Build build, string model) =>
        double.Parse(
            TrainingBenchmark.Output(build.Benchmarks, ["step", model]).TrimEnd().Split('\n')[^1].Split('|')[2],
            CultureInfo.InvariantCulture
        );

    private static double[] AllReduceMilliseconds(Build build, string transport) =>
        [
            .. Objects(build, ["allreduce", "--transport", transport, "--sizes", string.Join(',', Sizes)])
                .Select(line => line.GetProperty("milliseconds").GetDouble()),
        ];

    private double SampleMicroseconds(Build build, string model, int batch, string transport) =>
        1e6 / ScalingBenchmark.Rate(ScalingBenchmark.Results(build.Coordinator, model, batch, "2", transport, _seconds).Single());

    private static IEnumerable<JsonElement> Objects(Build build, string[] arguments) =>
        TrainingBenchmark
            .Output(build.Coordinator, ["bench", arguments[0], "--json", .. arguments[1..]])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line));
}
