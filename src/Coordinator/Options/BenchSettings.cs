using System.Globalization;
using Distributed.Model;

namespace Distributed.Coordinator.Options;

/// <summary>How the vectors of <c>bench allreduce</c> travel.</summary>
internal enum BenchTransport
{
    /// <summary>The fastest that all workers can use.</summary>
    Auto = 0,

    /// <summary>Shared memory, between workers of one machine.</summary>
    Shm,

    /// <summary>Raw streams over Unix sockets, as training uses them inside a host.</summary>
    Unix,

    /// <summary>Raw streams over TCP, inside a host too, where training would prefer Unix sockets.</summary>
    Tcp,

    /// <summary>Streaming calls over HTTP/2.</summary>
    Grpc,
}

/// <summary>The options of <c>bench allreduce</c>. The defaults are here and nowhere else.</summary>
internal sealed record BenchSettings
{
    private const int FewestWorkers = 2;
    private const int MostWorkers = 64;
    private const double MebibyteElements = (1 << 20) / sizeof(float);

    /// <summary>Worker processes.</summary>
    public int Workers { get; init; } = FewestWorkers;

    /// <summary>Machines to start one worker on each, instead; none for this one.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>The command that runs another on a machine.</summary>
    public string Launcher { get; init; } = "ssh";

    /// <summary>The vectors' sizes in MiB.</summary>
    public IReadOnlyList<double> Sizes { get; init; } = [2.7, 16, 64];

    /// <summary>How the vectors travel.</summary>
    public BenchTransport Transport { get; init; } = BenchTransport.Auto;

    /// <summary>How often each size is reduced.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Whether the vectors and their sums stay in the exchange's memory.</summary>
    public bool InPlace { get; init; }

    /// <summary>Whether to write JSON.</summary>
    public bool Json { get; init; }

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<BenchSettings>> Options { get; } =
    [
        new("--workers", "N", OptionGroups.Cluster, "worker processes on this machine, with one thread each", "2", "4", (settings, text) =>
            settings with
            {
                Workers = OptionText.WholeNumber<int>(text),
            }
        ),
        new(
            "--hosts",
            "HOST,..",
            OptionGroups.Cluster,
            "machines to start one worker on each instead; "
                + "they hold this program and its runtime under the same paths, and know each other by these names",
            "this machine",
            "node1,node2",
            (settings, text) => settings with { Hosts = text.Split(',') }
        ),
        new(
            "--launcher",
            "COMMAND",
            OptionGroups.Cluster,
            "what runs a command on a host: COMMAND HOST command..",
            "ssh",
            "\"ip netns exec\"",
            (settings, text) => settings with { Launcher = OptionText.NotEmpty(text) }
        ),
        new("--sizes", "MIB,..", OptionGroups.Cluster, "sizes of the vectors in MiB", "2.7,16,64", "1,4", (settings, text) =>
            settings with
            {
                Sizes = [.. text.Split(',').Select(OptionText.Number)],
            }
        ),
        new(
            "--transport",
            OptionText.Choices<BenchTransport>(),
            OptionGroups.Cluster,
            "how the vectors travel; auto takes the fastest there is, tcp never a Unix socket",
            OptionText.Name(BenchTransport.Auto),
            "tcp",
            (settings, text) => settings with { Transport = OptionText.Choice<BenchTransport>(text) }
        ),
        new("--steps", "S", OptionGroups.Cluster, "how often each vector is reduced", "50", "200", (settings, text) =>
            settings with
            {
                Steps = OptionText.WholeNumber<int>(text),
            }
        ),
        new(
            "--in-place",
            null,
            OptionGroups.Cluster,
            "leave the vectors and their sums in the exchange's memory, as training does",
            "off",
            "",
            (settings, text) => settings with { InPlace = OptionText.Switch(text) }
        ),
        new(
            "--json",
            null,
            OptionGroups.Display,
            "write one JSON object per size to standard output, and nothing else",
            "off",
            "",
            (settings, text) => settings with { Json = OptionText.Switch(text) }
        ),
    ];

    /// <summary>The launcher and its first arguments.</summary>
    internal IReadOnlyList<string> LauncherWords => Launcher.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The number of elements of a vector.</summary>
    /// <param name="size">Its size in MiB.</param>
    internal static int Elements(double size) => (int)Math.Round(size * MebibyteElements);

    /// <summary>Every bad value, one line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Workers is < FewestWorkers or > MostWorkers)
            yield return $"--workers {Workers}: must be from {FewestWorkers} to {MostWorkers}";
        if (Hosts.Count is 1 or > MostWorkers || Hosts.Any(host => Uri.CheckHostName(host) == UriHostNameType.Unknown))
            yield return $"--hosts {string.Join(',', Hosts)}: must be {FewestWorkers} to {MostWorkers} names of machines, separated by commas";
        if (Steps < 1)
            yield return $"--steps {Steps}: must be at least 1";
        foreach (var size in Sizes.Where(size => !(size * MebibyteElements is >= 1 and <= ParameterLayout.MaximumLength)))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"--sizes {size}: must be above 0 and at most {ParameterLayout.MaximumLength / MebibyteElements:0}"
            );
        }
    }
}
