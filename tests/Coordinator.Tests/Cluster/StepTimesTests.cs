using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class StepTimesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Recorder _recorder = new();
    private readonly StepTimes _times;

    public StepTimesTests() => _times = new StepTimes(_time, _recorder);

    [Fact]
    public void Steps_are_told_on_the_coordinators_clock_by_the_fastest_message()
    {
        var origin = _time.GetElapsedTime(0);
        Receive(after: 10, clock: 7_000_000, began: 6_990_000); // 10 ms on its way: it seems to have begun 10 ms late
        Receive(after: 21, clock: 7_020_000, began: 7_010_000); // 1 ms
        Receive(after: 50, clock: 7_035_000, began: 7_030_000); // 15 ms: its clock is known better by now
        Assert.Equal([0, 11, 31], _recorder.Steps.Select(step => Math.Round((step.Began - origin).TotalMilliseconds)));
    }

    [Fact]
    public void Reports_without_a_trace_and_absurd_clocks_do_no_harm()
    {
        _times.Received(1, "worker 1", new StepReports { Reports = { new StepReport { Step = 3 } } });
        Assert.Empty(_recorder.Steps);
        Receive(after: 0, clock: ulong.MaxValue, began: ulong.MaxValue);
        Assert.Single(_recorder.Steps);
    }

    // Milliseconds after the beginning.
    private void Receive(int after, ulong clock, ulong began)
    {
        var elapsed = _time.GetUtcNow() - _time.Start;
        _time.Advance(TimeSpan.FromMilliseconds(after) - elapsed);
        var report = new StepReport
        {
            Step = 1,
            BeganMicroseconds = began,
            Spans = { 4 },
        };
        _times.Received(1, "worker 1", new StepReports { ClockMicroseconds = clock, Reports = { report } });
    }

    private sealed class Recorder : IRunObserver
    {
        public List<StepTimed> Steps { get; } = [];

        public void Report(RunEvent runEvent) => Steps.Add((StepTimed)runEvent);
    }
}
