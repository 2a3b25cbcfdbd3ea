using System.Net;
using Distributed.Coordinator.Options;

namespace Distributed.Coordinator.Dashboard;

/// <summary>Where a run can be watched in a browser. The defaults are here and nowhere else.</summary>
internal sealed record DashboardOptions
{
    /// <summary>The port that is tried first, so that the page of the next run is where that of the last one was.</summary>
    public const int DefaultPort = 7450;

    /// <summary>What turns the page off.</summary>
    public const string Off = "off";

    /// <summary>An address, <see cref="Off"/>, or null for this machine only.</summary>
    public string? Address { get; init; }

    /// <summary>Whether there is a page.</summary>
    public bool IsOn => Address != Off;

    /// <summary>The option.</summary>
    internal static OptionSpec<DashboardOptions> Option { get; } =
        new(
            "--dashboard",
            "URL|off",
            OptionGroups.Display,
            "where a browser can watch the run: curves, workers, and what the model gets wrong. It can change nothing, and off this machine "
                + "anyone who reaches it can read it",
            $"this machine only, on port {DefaultPort} or else a free one",
            "http://127.0.0.1:8000",
            (options, text) => options with { Address = OptionText.NotEmpty(text) }
        );

    /// <summary>Every bad value, one line each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Address is null or Off)
            yield break;
        if (!Uri.TryCreate(Address, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttp || url.PathAndQuery != "/")
            yield return $"--dashboard {Address}: must be an address such as http://127.0.0.1:{DefaultPort}, or {Off}";
    }

    /// <summary>The addresses to try in turn.</summary>
    /// <param name="remembered">The port that the run's page had before it was resumed; null for none.</param>
    internal IEnumerable<Uri> Candidates(int? remembered)
    {
        if (Address is { } named)
            return [new Uri(named)];
        int[] ports = remembered is { } port ? [port, DefaultPort, 0] : [DefaultPort, 0];
        return ports.Distinct().Select(each => new UriBuilder(Uri.UriSchemeHttp, IPAddress.Loopback.ToString(), each).Uri);
    }
}
