using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Hosting;

/// <summary>What a process logs, and where.</summary>
/// <param name="Settings">What is logged; local workers log the same.</param>
/// <param name="Factory">Makes loggers.</param>
internal sealed record ProcessLogs(LogSettings Settings, ILoggerFactory Factory) : IDisposable
{
    /// <summary>Nothing is logged.</summary>
    public static ProcessLogs None { get; } = new(new LogSettings(LogLevel.None), NullLoggerFactory.Instance);

    /// <summary>Opens the logs of a process.</summary>
    /// <param name="settings">What is logged.</param>
    /// <param name="isLocalWorker">Whether a coordinator reads them.</param>
    public static ProcessLogs Open(LogSettings settings, bool isLocalWorker = false) =>
        new(settings, settings.CreateFactory(isLocalWorker));

    /// <summary>Writes what is still waiting.</summary>
    public void Dispose() => Factory.Dispose();
}
