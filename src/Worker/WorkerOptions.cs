using Distributed.Data;
using Distributed.Hosting;

namespace Distributed.Worker;

/// <summary>How a worker joins a run. The defaults are here and nowhere else.</summary>
internal sealed record WorkerOptions
{
    private const int MaximumThreads = 1024;

    /// <summary>The coordinator's address.</summary>
    public required string Coordinator { get; init; }

    /// <summary>Where other workers reach this one; port 0 lets the system choose.</summary>
    public string Listen { get; init; } = "http://127.0.0.1:0";

    /// <summary>The address to tell other workers, if it is not the one listened on.</summary>
    public string? Advertise { get; init; }

    /// <summary>Threads that compute.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>A file that holds the run's token; it is waited for.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Whether to join, and listen, without a token.</summary>
    public bool Insecure { get; init; }

    /// <summary>How long to try to reach the coordinator, and to wait for the token file, in seconds.</summary>
    public int ConnectTimeout { get; init; } = 60;

    /// <summary>How long to go on without a sign of life of the coordinator, in seconds.</summary>
    public int CoordinatorTimeout { get; init; } = 600;

    /// <summary>Where the state is left if the coordinator never returns.</summary>
    public string EmergencyDir { get; init; } = ".";

    /// <summary>The data this worker holds; if it is the run's, the coordinator sends indices instead of samples. Null for none.</summary>
    public DataOptions? Data { get; init; } = new();

    /// <summary>What is logged on standard error.</summary>
    public LogSettings Logs { get; init; } = new();

    /// <summary>What the coordinator has told this worker, if it has started it itself; else null.</summary>
    public LocalWorker? Local { get; init; }

    /// <summary>Every bad value, one line each: the option, the value, and what would be right.</summary>
    /// <param name="hasToken">Whether a token came by the environment.</param>
    public IEnumerable<string> Errors(bool hasToken)
    {
        if (!IsHttp(Coordinator))
            yield return $"--coordinator {Coordinator}: must be an address such as http://127.0.0.1:5000";
        if (!IsHttp(Listen))
            yield return $"--listen {Listen}: must be an address such as http://0.0.0.0:5001";
        else if (!ListenAddress.IsLoopback(new Uri(Listen)) && !hasToken && TokenFile is null && !Insecure)
            yield return $"--listen {Listen}: is open to other machines and needs --token-file FILE (or --insecure, which lets anyone send gradients)";
        if (Advertise is not null && !IsHttp(Advertise))
            yield return $"--advertise {Advertise}: must be an address such as http://10.0.0.7:5001";
        if (Threads is < 1 or > MaximumThreads)
            yield return $"--threads {Threads}: must be from 1 to {MaximumThreads}";
        if (ConnectTimeout < 1)
            yield return $"--connect-timeout {ConnectTimeout}: must be at least 1 second";
        if (CoordinatorTimeout < 1)
            yield return $"--coordinator-timeout {CoordinatorTimeout}: must be at least 1 second";
        if (EmergencyDir.Length == 0)
            yield return "--emergency-dir: needs the name of a folder";
        if (TokenFile is not null && Insecure)
            yield return "--insecure: contradicts --token-file; give one of them";
    }

    private static bool IsHttp(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp && url.PathAndQuery == "/";
}
