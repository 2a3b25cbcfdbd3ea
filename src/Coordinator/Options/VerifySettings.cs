using Distributed.Cluster;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Data;

namespace Distributed.Coordinator.Options;

/// <summary>The options of <c>verify</c>.</summary>
internal sealed record VerifySettings
{
    /// <summary>Workers of the second training; null for another number than the run had.</summary>
    public int? Workers { get; init; }

    /// <summary>Threads per worker; null shares the cores out.</summary>
    public int? Threads { get; init; }

    /// <summary>Who reduces the gradients.</summary>
    public Exchange Exchange { get; init; } = Exchange.Peers;

    /// <summary>Says where the run's data lies, from where it was found last.</summary>
    public Func<DataOptions, DataOptions> Data { get; init; } = static data => data;

    /// <summary>Where the initial weights lie now; null for where they were found last.</summary>
    public string? InitWeights { get; init; }

    /// <summary>What is shown meanwhile.</summary>
    public DisplayOptions Display { get; init; } = new();

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<VerifySettings>> Options { get; } =
    [
        new(
            "--workers",
            "N",
            OptionGroups.Cluster,
            "worker processes of the second training; 0 trains inside the coordinator",
            "another number than the run had",
            "5",
            (settings, text) => settings with { Workers = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--threads",
            "T",
            OptionGroups.Cluster,
            "threads of each worker",
            "the cores, shared out over the workers",
            "2",
            (settings, text) => settings with { Threads = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--exchange",
            OptionText.Choices<Exchange>(),
            OptionGroups.Cluster,
            "who sums the gradients",
            OptionText.Name(Exchange.Peers),
            "coordinator",
            (settings, text) => settings with { Exchange = OptionText.Choice<Exchange>(text) }
        ),
        .. DataOptionTable
            .Places.Select(option => option with { Default = "where it was found last" })
            .Select(option =>
                option.Deferred<VerifySettings>(new(), settings => settings.Data, (settings, data) => settings with { Data = data })
            ),
        new(
            "--init-weights",
            "FILE",
            OptionGroups.Model,
            "where the weights that the run started from lie now",
            "where they were found last",
            "model.safetensors",
            (settings, text) => settings with { InitWeights = OptionText.NotEmpty(text) }
        ),
        .. DisplayOptions.Options.Select(option =>
            option.Within<VerifySettings>(settings => settings.Display, (settings, display) => settings with { Display = display })
        ),
    ];

    /// <summary>The cluster of the second training.</summary>
    /// <param name="runWorkers">The workers that the run had.</param>
    internal ClusterOptions Cluster(int runWorkers) =>
        new()
        {
            Workers = Workers ?? RunText.OtherWorkers(runWorkers),
            Threads = Threads,
            Exchange = Exchange,
        };
}
