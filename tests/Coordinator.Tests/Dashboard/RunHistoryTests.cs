using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class RunHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);

    private string Metrics => _folder.File("metrics.jsonl");

    private string Membership => _folder.File("membership.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_resumed_run_is_shown_from_its_beginning()
    {
        await WriteAsync(6);
        _time.Advance(TimeSpan.FromMinutes(1));
        var model = Models.Create(_time);
        // The new coordinator goes on after step 4, before the history has been read.
        model.Apply(new RunStarted(5, 10, 1, "shm"));
        model.Apply(Models.Step(5, loss: 50));
        model.AddHistory(RunHistory.Read(Metrics, Membership, model.Opened));
        model.Apply(Models.Step(6, loss: 60));

        var news = Models.Everything(model);
        Assert.Equal([1, 2, 3, 4, 50, 60], Models.Points(news, "loss").Select(point => point[2]));
        Assert.Equal([0.5], Models.Points(news, "testAccuracy").Select(point => point[2]));
        Assert.Equal(0.5, Assert.Single(Models.Points(news, "testLoss"))[2]);
        var entries = news.GetProperty("timeLine").GetProperty("entries").EnumerateArray().ToList();
        Assert.Equal(["gathered", "started", "lost", "resumed"], entries.Select(entry => entry.GetProperty("kind").GetString()));
        Assert.Equal(3, entries[2].GetProperty("step").GetInt64());
        Assert.Equal(Start.ToUnixTimeMilliseconds(), entries[2].GetProperty("time").GetInt64());
    }

    [Fact]
    public async Task What_is_told_anyway_is_not_told_twice()
    {
        await WriteAsync(2);
        var history = RunHistory.Read(Metrics, Membership, before: Start);
        Assert.Empty(history.TimeLine.Entries);
    }

    [Fact]
    public async Task Lines_that_are_no_events_are_passed_over()
    {
        await WriteAsync(3);
        await File.AppendAllTextAsync(
            Metrics,
            "\n{\"step\":\"x\",\"loss\":1}\n[]\n{\"loss\":2}\n{\"step\":4,\"loss\":null}\n{\"step\":5,\"lo"
        );
        await File.AppendAllTextAsync(
            Membership,
            "{\"time\":\"then\",\"event\":\"workerLost\"}\n{\"time\":\"2026-01-31T11:00:00Z\",\"event\":\"unknown\"}\n{\"ti"
        );
        var history = RunHistory.Read(Metrics, Membership, DateTimeOffset.MaxValue);
        Assert.Equal(3, history.Curves.Latest("loss"));
        Assert.Equal(3, history.TimeLine.Entries.Count());
    }

    [Fact]
    public void A_run_without_a_history_has_none() =>
        Assert.Empty(RunHistory.Read(Metrics, Membership, DateTimeOffset.MaxValue).Curves.All);

    private async Task WriteAsync(int steps)
    {
        using (var metrics = new MetricsLog(Metrics))
        {
            for (var step = 1; step <= steps; step++)
            {
                metrics.Append(Models.Step(step, loss: step));
                if (step == 2)
                    metrics.Append(Evaluated.Of(step, new TestScore(0.5, [new Metric("accuracy", 0.5)]), heldOut: null));
            }
        }

        await using var membership = new MembershipObserver(Membership, _time, new ReportedEvents());
        membership.Report(new WorkerJoined("worker 1", "http://127.0.0.1:1/", 1, 1));
        membership.Report(new RunStarted(1, 10, 1, "shm"));
        membership.Report(new WorkerLost("worker 1", "was killed", 3, 0));
    }
}
