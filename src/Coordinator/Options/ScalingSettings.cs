using System.Globalization;
using Distributed.Cluster;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Options;

/// <summary>The options of <c>bench scaling</c>. The defaults are here and nowhere else.</summary>
internal sealed record ScalingSettings
{
    private const int MostDefaultWorkers = 4;
    private const double LongestSeconds = 3600;

    /// <summary>Beyond any run: each is stopped as soon as it has been measured.</summary>
    private const long NoEnd = 1_000_000_000;

    private static readonly ScalingSettings Defaults = new();

    /// <summary>The numbers of workers to compare; ratios are relative to the first.</summary>
    public IReadOnlyList<int> Workers { get; init; } =
        Environment.ProcessorCount < MostDefaultWorkers ? [1, 2] : [1, 2, MostDefaultWorkers];

    /// <summary>The data.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>The model.</summary>
    public string Model { get; init; } = new TrainingOptions().Model;

    /// <summary>Samples of a step for each worker.</summary>
    public int BatchPerWorker { get; init; } = 128;

    /// <summary>Threads of each worker.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>How gradients travel.</summary>
    public Transport Transport { get; init; } = Transport.Auto;

    /// <summary>How often each number of workers is measured.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>How long each run is measured.</summary>
    public double Seconds { get; init; } = 8;

    /// <summary>How long each run warms up before that.</summary>
    public double WarmUp { get; init; } = 2;

    /// <summary>Whether to write JSON.</summary>
    public bool Json { get; init; }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<ScalingSettings>> Options { get; } =
    [
        new(
            "--workers",
            "N,..",
            OptionGroups.Cluster,
            "the numbers of workers to compare; ratios refer to the first",
            $"{string.Join(',', Defaults.Workers)} here",
            "1,2,4",
            (settings, text) => settings with { Workers = [.. text.Split(',').Select(OptionText.WholeNumber<int>)] }
        ),
        new(
            "--batch-per-worker",
            "B",
            OptionGroups.Training,
            "samples of a step for each worker: the global batch grows with the workers",
            Text(Defaults.BatchPerWorker),
            "64",
            (settings, text) => settings with { BatchPerWorker = OptionText.WholeNumber<int>(text) }
        ),
        new("--threads", "T", OptionGroups.Cluster, "threads of each worker", Text(Defaults.Threads), "2", (settings, text) =>
            settings with
            {
                Threads = OptionText.WholeNumber<int>(text),
            }
        ),
        new(
            "--transport",
            OptionText.Choices<Transport>(),
            OptionGroups.Cluster,
            "how gradients travel; auto takes the fastest there is",
            OptionText.Name(Defaults.Transport),
            "grpc",
            (settings, text) => settings with { Transport = OptionText.Choice<Transport>(text) }
        ),
        new(
            "--rounds",
            "R",
            OptionGroups.Run,
            "how often each number of workers is measured, in turn with the others",
            Text(Defaults.Rounds),
            "5",
            (settings, text) => settings with { Rounds = OptionText.WholeNumber<int>(text) }
        ),
        new("--seconds", "X", OptionGroups.Run, "how long each run is measured", Text(Defaults.Seconds), "20", (settings, text) =>
            settings with
            {
                Seconds = OptionText.Number(text),
            }
        ),
        new(
            "--warm-up",
            "X",
            OptionGroups.Run,
            "seconds of each run before that, while the runtime optimizes",
            Text(Defaults.WarmUp),
            "5",
            (settings, text) => settings with { WarmUp = OptionText.Number(text) }
        ),
        new("--model", "MODEL", OptionGroups.Model, "the model, as for train", Defaults.Model, "cnn", (settings, text) =>
            settings with
            {
                Model = OptionText.NotEmpty(text),
            }
        ),
        .. DataOptionTable.Options.Select(option =>
            option.Within<ScalingSettings>(settings => settings.Data, (settings, data) => settings with { Data = data })
        ),
        new(
            "--json",
            null,
            OptionGroups.Display,
            "write one JSON object per number of workers to standard output, and nothing else",
            "off",
            "",
            (settings, text) => settings with { Json = OptionText.Switch(text) }
        ),
    ];

    /// <summary>What a number of workers trains; without an end.</summary>
    internal TrainingOptions Training(int workers) =>
        new()
        {
            Data = Data,
            Model = Model,
            BatchSize = BatchPerWorker * workers,
            Microbatch = Math.Min(TrainingOptions.DefaultMicrobatch, BatchPerWorker), // also where the global batch has room for more
            Steps = NoEnd,
            EvalEvery = NoEnd,
            CheckpointEvery = NoEnd,
            Schedule = new ConstantSchedule(),
        };

    /// <summary>Who trains it.</summary>
    internal ClusterOptions Cluster(int workers) =>
        new()
        {
            Workers = workers,
            Threads = Threads,
            Transport = Transport,
        };

    /// <summary>Every bad value, one line each.</summary>
    internal IEnumerable<string> Validate() =>
        [.. WorkerErrors(), .. LengthErrors(), .. TrainSettings.ModelErrors(Model), .. Cluster(1).Validate()];

    private IEnumerable<string> WorkerErrors()
    {
        foreach (var workers in Workers.Where(workers => workers is < 1 or > ClusterOptions.MaximumWorkers))
            yield return Line("--workers", workers, $"must be from 1 to {ClusterOptions.MaximumWorkers}");
        if (Workers.Distinct().Count() < Workers.Count)
            yield return $"--workers {string.Join(',', Workers)}: must name each number once";
        var most = TrainingOptions.MaximumBatchSize / Math.Clamp(Workers.Max(), 1, ClusterOptions.MaximumWorkers);
        if (BatchPerWorker < 1 || BatchPerWorker > most)
        {
            yield return Line(
                "--batch-per-worker",
                BatchPerWorker,
                $"must be from 1 to {most}, so that all workers together have at most {TrainingOptions.MaximumBatchSize}"
            );
        }
    }

    private IEnumerable<string> LengthErrors()
    {
        if (Rounds < 1)
            yield return Line("--rounds", Rounds, "must be at least 1");
        if (!(Seconds is > 0 and <= LongestSeconds))
            yield return Line("--seconds", Seconds, $"must be above 0 and at most {LongestSeconds}");
        if (!(WarmUp is >= 0 and <= LongestSeconds))
            yield return Line("--warm-up", WarmUp, $"must be from 0 to {LongestSeconds}");
    }

    private static string Line(string option, IFormattable value, string remedy) => $"{option} {Text(value)}: {remedy}";

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
