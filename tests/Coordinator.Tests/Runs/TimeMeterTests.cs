using Distributed.Coordinator.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class TimeMeterTests
{
    private static readonly MeteredMember First = new(1, "worker 1", Microbatches: 3);
    private static readonly MeteredMember Second = new(2, "worker 2", Microbatches: 1);

    private readonly FakeTimeProvider _time = new();
    private readonly TimeMeter _meter;

    public TimeMeterTests()
    {
        _meter = new TimeMeter(_time);
        Add(First, samples: 1000); // the first step
    }

    [Fact]
    public void It_is_told_once_a_second_and_not_before()
    {
        Add(First, samples: 96);
        _time.Advance(TimeMeter.Interval - TimeSpan.FromTicks(1));
        Assert.Null(_meter.Next(step: 1, [First]));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.NotNull(_meter.Next(step: 1, [First]));
        Add(First, samples: 96);
        Assert.Null(_meter.Next(step: 2, [First]));
    }

    [Fact]
    public void What_is_neither_computing_nor_exchanging_is_waiting()
    {
        Add(First, samples: 300, compute: 0.5, exchange: 0.25);
        Add(First, samples: 300, compute: 0.5, exchange: 0.25);
        Add(Second, samples: 200, compute: 0.2, exchange: 0);
        _time.Advance(TimeSpan.FromSeconds(2));
        var measured = _meter.Next(step: 7, [First, Second])!;
        Assert.Equal((7, 2, 400), (measured.Step, measured.Seconds, measured.SamplesPerSecond));
        Assert.Equal([new("worker 1", 3, 300, 0.5, 0.25, 0.25), new("worker 2", 1, 100, 0.1, 0, 0.9)], measured.Workers);
    }

    [Fact]
    public void Work_of_the_interval_before_is_not_more_than_the_whole_time()
    {
        Add(First, samples: 100, compute: 3, exchange: 1);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([new("worker 1", 3, 50, 0.75, 0.25, 0)], _meter.Next(step: 1, [First])!.Workers);
    }

    [Fact]
    public void Samples_of_a_member_that_has_left_count_for_all_but_for_no_one()
    {
        Add(First, samples: 100);
        Add(Second, samples: 300);
        _time.Advance(TimeSpan.FromSeconds(1));
        var measured = _meter.Next(step: 1, [First])!;
        Assert.Equal(400, measured.SamplesPerSecond);
        Assert.Equal(["worker 1"], measured.Workers.Select(worker => worker.Worker));
    }

    [Fact]
    public void A_member_that_has_done_nothing_has_waited()
    {
        Add(First, samples: 100);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new WorkerTimes("worker 2", 1, 0, 0, 0, 1), _meter.Next(step: 1, [First, Second])!.Workers[1]);
    }

    [Fact]
    public void The_end_is_told_at_once_and_a_time_without_steps_never()
    {
        Assert.Null(_meter.Next(step: 1, [First], isLast: true));
        Add(First, samples: 10);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(0.1, _meter.Next(step: 2, [First], isLast: true)!.Seconds, tolerance: 1e-9);
    }

    [Fact]
    public void The_first_step_begins_the_measurement_and_is_no_part_of_it()
    {
        var meter = new TimeMeter(_time);
        _time.Advance(TimeSpan.FromMinutes(1));
        meter.Add(1, 100, TimeSpan.FromSeconds(50), TimeSpan.Zero);
        Assert.Null(meter.Next(step: 1, [First], isLast: true));
        meter.Add(1, 100, TimeSpan.FromSeconds(1), TimeSpan.Zero);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((2, 50), (meter.Next(step: 2, [First])!.Seconds, 50));
    }

    private void Add(MeteredMember member, long samples, double compute = 0, double exchange = 0) =>
        _meter.Add(member.Number, samples, TimeSpan.FromSeconds(compute), TimeSpan.FromSeconds(exchange));
}
