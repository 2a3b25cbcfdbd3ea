using Distributed.Protocol;
using Distributed.Worker.Computing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Worker.Tests;

public sealed class ReportBatchTests
{
    private const int Plenty = ReportBatch.Low + 1;

    private readonly FakeTimeProvider _time = new();
    private readonly List<ulong[]> _sent = [];
    private readonly ReportBatch _batch;

    public ReportBatchTests() => _batch = new ReportBatch(_time, reports => _sent.Add([.. reports.Reports.Select(report => report.Step)]));

    [Fact]
    public void Reports_travel_together_until_one_has_waited_long_enough()
    {
        _batch.Add(Report(1), Plenty);
        _batch.Add(Report(2), Plenty);
        _time.Advance(ReportBatch.Interval - TimeSpan.FromTicks(1));
        _batch.Add(Report(3), Plenty);
        Assert.Empty(_sent);
        _time.Advance(TimeSpan.FromTicks(1));
        _batch.Add(Report(4), Plenty);
        _batch.Add(Report(5), Plenty);
        Assert.Equal([1, 2, 3, 4], Assert.Single(_sent));
    }

    [Fact]
    public void Slow_steps_are_reported_one_by_one()
    {
        for (var step = 1; step <= 3; step++)
        {
            _time.Advance(ReportBatch.Interval);
            _batch.Add(Report(step), Plenty);
        }

        Assert.Equal(
            [
                [1],
                [2],
                [3],
            ],
            _sent
        );
    }

    [Fact]
    public void Reports_do_not_wait_when_granted_work_runs_out_or_an_evaluation_is_done()
    {
        _batch.Add(Report(1), queued: ReportBatch.Low);
        _batch.Add(Report(2, Work.Evaluate), Plenty);
        Assert.Equal(
            [
                [1],
                [2],
            ],
            _sent
        );
    }

    [Fact]
    public void Fast_steps_are_reported_long_before_the_granted_work_runs_out()
    {
        for (var step = 1; step <= 2 * ReportBatch.Most; step++)
            _batch.Add(Report(step), Plenty);
        Assert.Equal([ReportBatch.Most, ReportBatch.Most], _sent.Select(steps => steps.Length));
    }

    [Fact]
    public void What_is_held_back_can_be_sent_at_once_and_nothing_is_not_a_message()
    {
        _batch.Add(Report(1), Plenty);
        _batch.Send();
        _batch.Send();
        Assert.Equal([1], Assert.Single(_sent));
    }

    private static StepReport Report(int step, Work work = Work.Train) => new() { Step = (ulong)step, Work = work };
}
