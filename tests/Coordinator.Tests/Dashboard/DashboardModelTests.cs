using System.Buffers;
using System.Text.Json;
using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class DashboardModelTests
{
    private readonly DashboardModel _model = Models.Create();

    [Fact]
    public void Workers_are_known_from_coming_and_going_alone()
    {
        Tell(Joined("worker 1"), Joined("worker 2"), new RunStarted(1, 10, 2, "shm"), new WorkerLost("worker 2", "was killed", 3, 1));
        Assert.Equal([("worker 1", "training"), ("worker 2", "lost")], Workers());
        Tell(Joined("worker 3"), new WorkerLeft("worker 1", "was asked to", 1));
        Assert.Equal([("worker 3", "training"), ("worker 1", "left"), ("worker 2", "lost")], Workers());
    }

    [Fact]
    public void A_worker_that_comes_back_is_one_worker()
    {
        Tell(Joined("worker 1"), new WorkerLost("worker 1", "was cut off", 3, 0), Joined("worker 1"));
        Assert.Equal([("worker 1", "training")], Workers());
    }

    [Fact]
    public void Shares_and_times_are_shown_where_they_are_told()
    {
        const string First = "worker 1 (host, process 71)";
        const string Eleventh = "worker 11 (host, process 72)";
        Tell(Joined(Eleventh), Joined(First), new RangesChanged(5, 8, [new("worker 1", 2), new("worker 11", 6)]));
        Assert.Equal([6, 2], Rows().Select(row => row.GetProperty("microbatches").GetInt32()));
        Tell(new WorkersMeasured(9, 1, 500, [new(Eleventh, 5, 300, 0.7, 0.2, 0.1), new(First, 3, 200, 0.5, 0.25, 0.25)]));
        Assert.Equal([5, 3], Rows().Select(row => row.GetProperty("microbatches").GetInt32()));
        Assert.Equal([0.2, 0.25], Rows().Select(row => row.GetProperty("exchange").GetDouble()));
        Assert.Equal([500.0], Points("samplesPerSecond").Select(point => point[2]));
    }

    [Fact]
    public void A_late_measurement_brings_nobody_back()
    {
        Tell(Joined("worker 1"), new WorkerLost("worker 1", "was killed", 3, 0));
        Tell(new WorkersMeasured(3, 1, 500, [new("worker 1", 5, 300, 0.7, 0.2, 0.1)]));
        Assert.Equal([("worker 1", "lost")], Workers());
    }

    [Fact]
    public void Of_many_workers_some_are_shown_and_the_others_counted()
    {
        for (var number = 1; number <= 1000; number++)
            Tell(Joined($"worker {number}"));
        for (var number = 1; number <= 100; number++)
            Tell(new WorkerLost($"worker {number}", "was killed", 1, 0));
        Assert.Equal(WorkerTable.MostShown + WorkerTable.MostGone, Rows().Count);
        Assert.Equal(900, Models.Everything(_model).GetProperty("workers").GetProperty("present").GetInt32());
    }

    [Fact]
    public void Evaluations_are_curves_under_the_names_of_the_files()
    {
        Tell(Evaluated.Of(5, new TestScore(0.5, [new Metric("rmse", 3)]), new TestScore(0.25, [new Metric("rmse", double.NaN)])));
        Assert.Equal(0.5, Assert.Single(Points("testLoss"))[2]);
        Assert.Equal(3, Assert.Single(Points("testRmse"))[2]);
        Assert.Equal(0.25, Assert.Single(Points("holdoutLoss"))[2]);
        Assert.Empty(Points("holdoutRmse")); // not defined
    }

    [Fact]
    public void What_is_rolled_back_is_gone_from_the_curves()
    {
        for (var step = 1; step <= 6; step++)
            Tell(Models.Step(step));
        Tell(new RolledBack(4, "worker 2 differs"));
        Assert.Equal([1, 2, 3, 4], Points("loss").Select(point => (int)point[1]));
        Tell(Models.Step(5, loss: 9));
        Assert.Equal(9, Points("loss")[^1][2]);
    }

    [Fact]
    public void A_reader_is_sent_what_is_new_and_all_of_it_after_a_change_of_the_past()
    {
        var cursor = new Cursor();
        Tell(Models.Step(1), Models.Step(2));
        Assert.Equal([1, 2], Steps(News(cursor)));
        Tell(Models.Step(3));
        Assert.Equal([2, 3], Steps(News(cursor))); // the last one that is known may have grown
        Tell(new RolledBack(1, "worker 2 differs"), Models.Step(2));
        Assert.Equal([1, 2], Steps(News(cursor)));
        Assert.False(News(cursor).TryGetProperty("timeLine", out _)); // which is known
    }

    [Fact]
    public void Gathering_is_no_change_of_a_run_and_joining_it_later_is()
    {
        Tell(Joined("worker 1"), new RunStarted(1, 10, 1, "shm"), Models.Step(1), Joined("worker 2"));
        Assert.Equal(["gathered", "started", "joined"], Entries().Select(entry => entry.GetProperty("kind").GetString()));
        Assert.Equal(1, Entries()[^1].GetProperty("step").GetInt64());
    }

    [Fact]
    public void Of_what_happened_the_newest_is_kept()
    {
        var cursor = new Cursor();
        for (var number = 0; number < 3 * TimeLine.Capacity; number++)
        {
            Tell(new RunWarning($"{number}"));
            if (number == 10)
                News(cursor);
        }

        Assert.Equal(TimeLine.Capacity, Entries().Count);
        var late = News(cursor).GetProperty("timeLine");
        Assert.True(late.GetProperty("all").GetBoolean()); // some were never sent
        Assert.Equal("599", late.GetProperty("entries")[TimeLine.Capacity - 1].GetProperty("text").GetString());
    }

    [Theory]
    [InlineData(false, "failed")]
    [InlineData(true, "interrupted")]
    public void An_end_without_a_result_is_a_failure(bool isInterrupted, string state)
    {
        Tell(new RunStarted(1, 10, 2, "shm"), Models.Step(1));
        if (isInterrupted)
            Tell(new RunInterrupted(1, "runs/first"));
        _model.End();
        Assert.Equal(state, Models.Everything(_model).GetProperty("progress").GetProperty("state").GetString());
        Assert.True(_model.Ended.IsCompleted);
    }

    [Fact]
    public void Waiting_is_shown_until_a_step_is_complete()
    {
        Tell(new RunStarted(1, 10, 2, "shm"), new Waiting("step 1", 10, "worker 2\nis silent"));
        var progress = Models.Everything(_model).GetProperty("progress");
        Assert.Equal("waiting", progress.GetProperty("state").GetString());
        Assert.Equal("Waiting for step 1: worker 2\\nis silent", progress.GetProperty("detail").GetString());
        Tell(Models.Step(1));
        Assert.Equal("training", Models.Everything(_model).GetProperty("progress").GetProperty("state").GetString());
    }

    private static WorkerJoined Joined(string name) => new(name, "http://127.0.0.1:1/", 1, 1);

    private void Tell(params IEnumerable<RunEvent> events)
    {
        foreach (var runEvent in events)
            _model.Apply(runEvent);
    }

    private JsonElement News(Cursor cursor)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            _model.WriteNews(cursor, json);
            json.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static IEnumerable<int> Steps(JsonElement news) => Models.Points(news, "loss").Select(point => (int)point[1]);

    private IReadOnlyList<double[]> Points(string curve) => Models.Points(Models.Everything(_model), curve);

    private List<JsonElement> Rows() => [.. Models.Everything(_model).GetProperty("workers").GetProperty("rows").EnumerateArray()];

    private IEnumerable<(string?, string?)> Workers() =>
        Rows().Select(row => (row.GetProperty("name").GetString(), row.GetProperty("state").GetString()));

    private List<JsonElement> Entries() => [.. Models.Everything(_model).GetProperty("timeLine").GetProperty("entries").EnumerateArray()];
}
