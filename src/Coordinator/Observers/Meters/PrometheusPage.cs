using Prometheus;

namespace Distributed.Coordinator.Observers.Meters;

/// <summary>The meters in the text format that Prometheus scrapes.</summary>
internal sealed class PrometheusPage : IDisposable
{
    /// <summary>What the page is.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // Of workers that have gone.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly IDisposable _listening;

    /// <summary>Begins to listen to the meters.</summary>
    public PrometheusPage() =>
        _listening = MeterAdapter.StartListening(
            new MeterAdapterOptions
            {
                InstrumentFilterPredicate = instrument => instrument.Meter.Name == MeterObserver.Name,
                Registry = _registry,
                MetricFactory = Metrics.WithCustomRegistry(_registry), // by itself it takes the process's registry
                MetricsExpireAfter = Remembered,
            }
        );

    /// <summary>Writes the page.</summary>
    public Task WriteAsync(Stream destination, CancellationToken cancellationToken) =>
        _registry.CollectAndExportAsTextAsync(destination, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _listening.Dispose();
}
