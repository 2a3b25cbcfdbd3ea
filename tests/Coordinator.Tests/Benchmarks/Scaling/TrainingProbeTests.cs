using Distributed.Coordinator.Benchmarks.Scaling;
using Distributed.Coordinator.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Benchmarks.Scaling;

public sealed class TrainingProbeTests
{
    private const int Batch = 100;

    private readonly FakeTimeProvider _time = new();
    private readonly List<RunWarning> _warnings = [];
    private readonly TrainingProbe _probe;
    private TimeSpan _processor = TimeSpan.FromSeconds(7);
    private long _step;

    public TrainingProbeTests() =>
        _probe = new TrainingProbe(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), _time, () => _processor, _warnings.Add);

    [Fact]
    public void NothingCountsBeforeTheWarmUpIsOver()
    {
        Start();
        Step(TimeSpan.FromSeconds(1.9), samples: 1_000_000);
        Step(TimeSpan.FromSeconds(0.2), samples: 1_000_000);
        Step(TimeSpan.FromSeconds(1));
        Assert.False(_probe.Measured.IsCompleted);
        Assert.Null(_probe.Sample);
        Step(TimeSpan.FromSeconds(3));
        Assert.True(_probe.Measured.IsCompleted);
        Assert.Equal(2 * Batch / 4.0, _probe.Sample!.SamplesPerSecond, precision: 9);
        Assert.Equal(2, _probe.Sample.StepSeconds, precision: 9);
    }

    [Fact]
    public void StepsAfterTheMeasurementDoNotCount()
    {
        Start();
        Step(TimeSpan.FromSeconds(2));
        Step(TimeSpan.FromSeconds(5));
        Step(TimeSpan.FromSeconds(100));
        Assert.Equal(Batch / 5.0, _probe.Sample!.SamplesPerSecond, precision: 9);
    }

    [Fact]
    public void TheCoordinatorsProcessorTimeIsThatOfTheMeasurementAlone()
    {
        Start();
        Step(TimeSpan.FromSeconds(3));
        _processor += TimeSpan.FromSeconds(0.08);
        Step(TimeSpan.FromSeconds(4));
        _processor += TimeSpan.FromSeconds(9);
        Assert.Equal(0.02, _probe.Sample!.CoordinatorShare, precision: 9);
    }

    [Fact]
    public void TheTransportIsTheOneThatTheRunSays()
    {
        Start();
        Step(TimeSpan.FromSeconds(2));
        Step(TimeSpan.FromSeconds(4));
        Assert.Equal("shm", _probe.Sample!.Transport);
    }

    [Fact]
    public void WarningsArePassedOn()
    {
        var warning = new RunWarning("something");
        _probe.Report(warning);
        Assert.Equal([warning], _warnings);
    }

    [Fact]
    public async Task TheMemoryOfWorkersIsSeenFromTheMeasurementToTheEndOfTheRun()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells the memory of other processes");
        var run = new TaskCompletionSource();
        _probe.Report(new WorkerJoined("worker 1", "http://127.0.0.1:1/", Workers: 1, Environment.ProcessId));
        Start();
        Step(TimeSpan.FromSeconds(2));
        var watching = _probe.WatchMemoryAsync(run.Task);
        Assert.False(watching.IsCompleted);
        Step(TimeSpan.FromSeconds(4));
        while (_probe.Sample!.PeakResidentBytes is null)
            await Task.Yield();
        run.SetResult();
        await watching;
        Assert.InRange(_probe.Sample!.PeakResidentBytes!.Value, Environment.WorkingSet / 4, Environment.WorkingSet * 4);
    }

    private void Start() => _probe.Report(new RunStarted(FirstStep: 1, TotalSteps: 1000, Workers: 2, "shm"));

    private void Step(TimeSpan after, int samples = Batch)
    {
        _time.Advance(after);
        _probe.Report(new StepCompleted(++_step, Epoch: 1, Loss: 1, LearningRate: 1, samples));
    }
}
