using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

public sealed class RunStatusTests
{
    private readonly RunStatus _status = new();

    public RunStatusTests() => _status.Take(new RunStarted(FirstStep: 101, TotalSteps: 300, Workers: 2, "shm"));

    [Fact]
    public void Nothing_is_foretold_before_anything_was_measured()
    {
        _status.Take(new StepCompleted(150, 1, 0.5F, 0.1F, 32));
        Assert.Null(_status.Left);
        Assert.Null(_status.SamplesPerSecond);
        Assert.Equal(0.5, _status.Done);
    }

    [Fact]
    public void What_is_left_takes_as_long_as_the_last_measurements_say_of_a_resumed_run_too()
    {
        Measure(step: 110, seconds: 1);
        Measure(step: 140, seconds: 1);
        Assert.Equal(8, _status.Left!.Value.TotalSeconds); // 160 steps at 20 a second
    }

    [Fact]
    public void Old_measurements_are_forgotten()
    {
        Measure(step: 102, seconds: 1000);
        for (var step = 103; step < 113; step++)
            Measure(step, seconds: 1);
        Assert.Equal(300 - 112, _status.Left!.Value.TotalSeconds);
    }

    [Fact]
    public void After_a_roll_back_the_pace_is_measured_anew()
    {
        Measure(step: 200, seconds: 1);
        _status.Take(new RolledBack(Step: 150, "states differ"));
        Assert.Null(_status.Left);
        Measure(step: 160, seconds: 1);
        Assert.Equal(14, _status.Left!.Value.TotalSeconds);
    }

    [Fact]
    public void Workers_come_are_measured_become_slow_and_go()
    {
        _status.Take(new WorkerJoined("worker 1", "http://a", 1, 11));
        _status.Take(new WorkerJoined("worker 2", "http://b", 2, 12));
        Assert.Equal(["ready", "ready"], States());
        Measure(step: 110, seconds: 1, "worker 1", "worker 2");
        _status.Take(new Straggling("worker 2", 2.06));
        Assert.Equal(["training", "slow, 2.1x"], States());
        _status.Take(new WorkerLost("worker 1", "it was killed", 111, 1));
        _status.Take(new WorkerLeft("worker 2", "it was asked to", 0));
        Assert.Empty(_status.Workers);
    }

    [Fact]
    public void A_process_that_trains_alone_is_the_only_one()
    {
        Measure(step: 110, seconds: 1, "this process");
        Measure(step: 120, seconds: 1, "this process");
        Assert.Equal("this process", Assert.Single(_status.Workers).Worker);
    }

    private IEnumerable<string> States() => _status.Workers.Select(worker => worker.State);

    private void Measure(long step, double seconds, params string[] workers) =>
        _status.Take(
            new WorkersMeasured(step, seconds, 1000, [.. workers.Select(worker => new WorkerTimes(worker, 1, 500, 0.5, 0.2, 0.3))])
        );
}
