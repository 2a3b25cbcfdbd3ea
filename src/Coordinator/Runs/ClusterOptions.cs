using System.Net;
using System.Text.Json;
using Distributed.Cluster;
using Distributed.Kernels.Threads;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>Who does the work and how they talk. Nothing here changes the result. The defaults are here and nowhere else.</summary>
internal sealed record ClusterOptions
{
    /// <summary>The most workers of one run.</summary>
    public const int MaximumWorkers = 1024;

    /// <summary>The most threads of one worker.</summary>
    public const int MaximumThreads = 1024;

    private const int LeastSilence = 2; // several heartbeats
    private const int MostSilence = 3600;
    private const int LeastHang = 2; // several heartbeats
    private const int MostHang = 86400;
    private const int FewestDefaultWorkers = 2;
    private const int MostDefaultWorkers = 4;

    /// <summary>
    /// Workers started on this machine; 0 trains inside the coordinator. Default: one per core, at least 2, at most 4; where a container
    /// may use less than its processors, as many as that is enough for.
    /// </summary>
    public int Workers { get; init; } =
        DefaultWorkers(Environment.ProcessorCount, hasQuota: OperatingSystem.IsLinux() && ThreadAffinity.Allowed().Count == 0);

    /// <summary>Threads per worker; null shares the cores out.</summary>
    public int? Threads { get; init; }

    /// <summary>Where workers find the coordinator; null is loopback on a port chosen by the system.</summary>
    public string? Listen { get; init; }

    /// <summary>Workers that must have joined before the first step, local ones included; null waits for the local ones only.</summary>
    public int? MinWorkers { get; init; }

    /// <summary>How long to wait for workers that come by themselves, in seconds.</summary>
    public int JoinTimeout { get; init; } = 600;

    /// <summary>How long a run that has lost all its workers waits for others, in seconds.</summary>
    public int WaitForWorkers { get; init; } = 600;

    /// <summary>How long a worker may be silent before it is given up, in seconds.</summary>
    public int SilenceTimeout { get; init; } = 3;

    /// <summary>
    /// How long a worker may compute without any progress before it is given up, in seconds; 0 waits without end. Progress is every layer
    /// of every microbatch.
    /// </summary>
    public int HangTimeout { get; init; } = 60;

    /// <summary>Every how many steps workers compare their weights, beside those that are saved; 0 compares these alone.</summary>
    public int CompareEvery { get; init; } = 100;

    /// <summary>Whether <c>ledger.jsonl</c> is kept: which samples every step was trained on.</summary>
    public bool Ledger { get; init; }

    /// <summary>Whether a trace is kept of what each worker does in every step.</summary>
    public bool Trace { get; init; }

    /// <summary>How gradients travel.</summary>
    public Transport Transport { get; init; } = Transport.Auto;

    /// <summary>Who reduces the gradients.</summary>
    public Exchange Exchange { get; init; } = Exchange.Peers;

    /// <summary>A file that holds the run's token, for workers on other machines; null makes a token for local workers only.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Whether to listen beyond this machine without a token.</summary>
    public bool Insecure { get; init; }

    /// <summary>Threads of each worker, or of the coordinator when it trains alone.</summary>
    public int ResolvedThreads => Threads ?? Math.Max(1, Environment.ProcessorCount / Math.Max(1, Workers));

    /// <summary>Every bad value, one line each: the option, the value, and what would be right.</summary>
    public IReadOnlyList<string> Validate() => [.. Errors().Select(error => error.Line(OptionName))];

    /// <summary>Every bad value, for programs that have no command line.</summary>
    public IEnumerable<OptionError> Errors()
    {
        if (Workers is < 0 or > MaximumWorkers)
            yield return OptionError.Of(nameof(Workers), Workers, $"must be from 0 to {MaximumWorkers}");
        if (Threads is { } threads && threads is < 1 or > MaximumThreads)
            yield return OptionError.Of(nameof(Threads), threads, $"must be from 1 to {MaximumThreads}");
        foreach (var error in JoinErrors())
            yield return error;
        if (SilenceTimeout is < LeastSilence or > MostSilence)
            yield return OptionError.Of(nameof(SilenceTimeout), SilenceTimeout, $"must be from {LeastSilence} to {MostSilence} seconds");
        if (HangTimeout is not 0 and (< LeastHang or > MostHang))
        {
            var remedy = $"must be from {LeastHang} to {MostHang} seconds, or 0 to wait without end";
            yield return OptionError.Of(nameof(HangTimeout), HangTimeout, remedy);
        }

        if (CompareEvery < 0)
            yield return OptionError.Of(nameof(CompareEvery), CompareEvery, "must be 0 or more steps");
        if (Transport == Transport.Shm && !OperatingSystem.IsLinux())
            yield return new OptionError(nameof(Transport), "shm", "needs Linux; use auto or grpc");
        foreach (var error in ListenErrors())
            yield return error;
    }

    /// <summary>The default number of workers.</summary>
    /// <param name="processors">How many processors this process has time on.</param>
    /// <param name="hasQuota">Whether that is fewer than it runs on.</param>
    internal static int DefaultWorkers(int processors, bool hasQuota) =>
        Math.Clamp(processors, hasQuota ? 1 : FewestDefaultWorkers, MostDefaultWorkers);

    private IEnumerable<OptionError> JoinErrors()
    {
        if (MinWorkers is { } least && least is < 1 or > MaximumWorkers)
            yield return OptionError.Of(nameof(MinWorkers), least, $"must be from 1 to {MaximumWorkers}");
        if (MinWorkers is { } minimum && minimum > Workers && Listen is null)
        {
            yield return OptionError.Of(
                nameof(MinWorkers),
                minimum,
                $"needs {{0}}, so that {minimum - Workers} more than the {Workers} local workers can join",
                nameof(Listen)
            );
        }

        if (JoinTimeout < 1)
            yield return OptionError.Of(nameof(JoinTimeout), JoinTimeout, "must be at least 1 second");
        if (WaitForWorkers < 1)
            yield return OptionError.Of(nameof(WaitForWorkers), WaitForWorkers, "must be at least 1 second");
    }

    private IEnumerable<OptionError> ListenErrors()
    {
        if (TokenFile is not null && Insecure)
            yield return new OptionError(nameof(Insecure), Value: null, "contradicts {0}; give one of them", nameof(TokenFile));
        if (Listen is null)
            yield break;
        if (!Uri.TryCreate(Listen, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttp || url.PathAndQuery != "/")
        {
            yield return new OptionError(nameof(Listen), Listen, "must be an address such as http://0.0.0.0:5000");
        }
        else if (!IsLoopback(url) && TokenFile is null && !Insecure)
        {
            yield return new OptionError(
                nameof(Listen),
                Listen,
                "is open to other machines and needs {0} FILE (or {1}, which lets anyone join)",
                nameof(TokenFile),
                nameof(Insecure)
            );
        }
    }

    // MinWorkers is --min-workers.
    private static string OptionName(string property) => $"--{JsonNamingPolicy.KebabCaseLower.ConvertName(property)}";

    private static bool IsLoopback(Uri url) =>
        url.IsLoopback || (IPAddress.TryParse(url.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
}
