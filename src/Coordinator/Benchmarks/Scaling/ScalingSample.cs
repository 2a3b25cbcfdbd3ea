namespace Distributed.Coordinator.Benchmarks.Scaling;

/// <summary>The measurement of one run.</summary>
/// <param name="Transport">How gradients travelled.</param>
/// <param name="SamplesPerSecond">Over all workers.</param>
/// <param name="StepSeconds">The mean time from one completed step to the next.</param>
/// <param name="CoordinatorShare">The processor time of the coordinator's process over the time, where 1 is a whole core.</param>
/// <param name="PeakResidentBytes">The most memory that any of the workers has had resident; null where the system does not say.</param>
internal sealed record ScalingSample(
    string Transport,
    double SamplesPerSecond,
    double StepSeconds,
    double CoordinatorShare,
    long? PeakResidentBytes
);
