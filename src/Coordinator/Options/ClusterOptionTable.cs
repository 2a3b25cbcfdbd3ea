using System.Globalization;
using Distributed.Cluster;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Options;

/// <summary>The options that say who does the work. None of them changes the result.</summary>
internal static class ClusterOptionTable
{
    private static readonly ClusterOptions Defaults = new();

    internal static IReadOnlyList<OptionSpec<ClusterOptions>> Options { get; } =
    [
        new(
            "--workers",
            "N",
            OptionGroups.Cluster,
            "worker processes to start on this machine; 0 trains inside the coordinator. The weights are the same bits for any number",
            $"{Defaults.Workers.ToString(CultureInfo.InvariantCulture)} here: the cores, at least 2 and at most 4, or fewer where a container may use less",
            "4",
            (options, text) => options with { Workers = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--threads",
            "T",
            OptionGroups.Cluster,
            "threads of each worker",
            "the cores, shared out over the workers",
            "2",
            (options, text) => options with { Threads = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--listen",
            "URL",
            OptionGroups.Cluster,
            "where workers on other machines find the coordinator",
            "this machine only, on a free port",
            "http://0.0.0.0:5000",
            (options, text) => options with { Listen = OptionText.NotEmpty(text) }
        ),
        new(
            "--min-workers",
            "N",
            OptionGroups.Cluster,
            "workers that must have joined before the first step",
            "the local workers",
            "3",
            (options, text) => options with { MinWorkers = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--join-timeout",
            "SECONDS",
            OptionGroups.Cluster,
            "how long to wait for workers that come by themselves",
            Defaults.JoinTimeout.ToString(CultureInfo.InvariantCulture),
            "3600",
            (options, text) => options with { JoinTimeout = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--wait-for-workers",
            "SECONDS",
            OptionGroups.Cluster,
            "how long a run that has lost all its workers waits for others",
            Defaults.WaitForWorkers.ToString(CultureInfo.InvariantCulture),
            "3600",
            (options, text) => options with { WaitForWorkers = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--silence-timeout",
            "SECONDS",
            OptionGroups.Cluster,
            "how long a worker may be silent before the others go on without it",
            Defaults.SilenceTimeout.ToString(CultureInfo.InvariantCulture),
            "10",
            (options, text) => options with { SilenceTimeout = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--hang-timeout",
            "SECONDS",
            OptionGroups.Cluster,
            "how long a worker may compute without finishing a layer before the others go on without it; 0 waits without end",
            Defaults.HangTimeout.ToString(CultureInfo.InvariantCulture),
            "300",
            (options, text) => options with { HangTimeout = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--compare-every",
            "N",
            OptionGroups.Cluster,
            "compare the workers' weights after every so many steps, beside those that are saved; 0 for these alone",
            Defaults.CompareEvery.ToString(CultureInfo.InvariantCulture),
            "1000",
            (options, text) => options with { CompareEvery = OptionText.WholeNumber<int>(text) }
        ),
        new(
            "--ledger",
            null,
            OptionGroups.Cluster,
            "keep ledger.jsonl: which samples every step was trained on, as the workers decoded them",
            "off",
            "",
            (options, text) => options with { Ledger = OptionText.Switch(text) }
        ),
        new(
            "--trace",
            null,
            OptionGroups.Cluster,
            "keep trace.json: what each worker does in every step, for https://ui.perfetto.dev or chrome://tracing",
            "off",
            "",
            (options, text) => options with { Trace = OptionText.Switch(text) }
        ),
        new(
            "--transport",
            OptionText.Choices<Transport>(),
            OptionGroups.Cluster,
            "how gradients travel; auto takes the fastest there is",
            OptionText.Name(Defaults.Transport),
            "grpc",
            (options, text) => options with { Transport = OptionText.Choice<Transport>(text) }
        ),
        new(
            "--exchange",
            OptionText.Choices<Exchange>(),
            OptionGroups.Cluster,
            "who sums the gradients: the workers among themselves, or the coordinator where workers cannot reach each other",
            OptionText.Name(Defaults.Exchange),
            "coordinator",
            (options, text) => options with { Exchange = OptionText.Choice<Exchange>(text) }
        ),
        new(
            "--token-file",
            "FILE",
            OptionGroups.Cluster,
            "the file with the secret that workers on other machines must know",
            "a secret for local workers only",
            "run.token",
            (options, text) => options with { TokenFile = OptionText.NotEmpty(text) }
        ),
        new("--insecure", null, OptionGroups.Cluster, "let anyone who reaches --listen join, without a token", "off", "", (options, text) =>
            options with
            {
                Insecure = OptionText.Switch(text),
            }
        ),
    ];
}
