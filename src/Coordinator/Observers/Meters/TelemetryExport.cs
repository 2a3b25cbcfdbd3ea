using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Distributed.Coordinator.Observers.Meters;

/// <summary>
/// Sends meters and activities by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says that somebody listens. An endpoint that hangs costs the run
/// nothing while it trains, and at its end a bounded time.
/// </summary>
internal sealed class TelemetryExport : IDisposable
{
    /// <summary>The variable of the OpenTelemetry specification.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const int ShutdownMilliseconds = 2000;

    private readonly MeterProvider _meters;
    private readonly TracerProvider _activities;

    private TelemetryExport()
    {
        var resource = ResourceBuilder.CreateDefault().AddService("distributed-coordinator").AddEnvironmentVariableDetector();
        _meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(MeterObserver.Name).AddOtlpExporter().Build();
        _activities = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(MeterObserver.Name)
            .AddOtlpExporter()
            .Build();
    }

    /// <summary>Begins to send; null where nobody asks for it.</summary>
    public static TelemetryExport? Start() =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)) ? null : new TelemetryExport();

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        _meters.Shutdown(ShutdownMilliseconds);
        _activities.Shutdown(ShutdownMilliseconds);
        _meters.Dispose();
        _activities.Dispose();
    }
}
