using System.Text.Json;
using Distributed.Collectives;
using Distributed.Coordinator.Observers.Files;
using Distributed.Coordinator.Runs;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers.Files;

public sealed class TraceFileTests
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(100);
    private static readonly DateTimeOffset StartUtc = DateTimeOffset.UnixEpoch.AddYears(60);

    [Fact]
    public void A_step_is_a_row_of_spans_one_after_the_other()
    {
        var events = Write(new StepTimed(2, "worker 2", IsTraining: true, 7, Start + TimeSpan.FromMilliseconds(3), Spans()));
        Assert.Equal(
            [("compute", 3000, 500), ("waiting", 3500, 20), ("exchange", 3520, 30), ("update", 3550, 4)],
            events
                .Where(one => one.GetProperty("ph").GetString() == "X")
                .Select(one => (one.GetProperty("name").GetString()!, one.GetProperty("ts").GetInt32(), one.GetProperty("dur").GetInt32()))
        );
        Assert.All(events.Where(one => one.GetProperty("ph").GetString() == "X"), one =>
            Assert.Equal((2, 7), (one.GetProperty("tid").GetInt32(), one.GetProperty("args").GetProperty("step").GetInt32()))
        );
        Assert.Contains(events, one => Name(one) == "worker 2");
    }

    [Fact]
    public void Evaluations_and_steps_are_told_apart() =>
        Assert.Contains(Write(new StepTimed(1, "worker 1", IsTraining: false, 7, Start, Spans())), one =>
            one.GetProperty("name").GetString() == "evaluate"
        );

    [Fact]
    public void What_happens_to_the_run_is_a_line_across_all_rows()
    {
        var lost = Assert.Single(Write(new WorkerLost("worker 1", "it was <killed>", 7, 1)), one =>
            one.GetProperty("ph").GetString() == "i"
        );
        Assert.Equal("worker 1 was lost at step 7: it was <killed> (1 worker)", lost.GetProperty("name").GetString());
        Assert.Equal(("g", 5_000_000), (lost.GetProperty("s").GetString(), lost.GetProperty("ts").GetInt32()));
    }

    [Fact]
    public void A_file_without_events_is_whole_too() => Assert.NotEmpty(Write());

    private static List<uint> Spans() =>
        [Span(500, StepPart.Compute), Span(20, StepPart.Waiting), Span(30, StepPart.Exchange), Span(4, StepPart.Update)];

    private static uint Span(uint microseconds, StepPart part) => (microseconds << StepTimeline.PartBits) | (uint)part;

    private static string? Name(JsonElement one) =>
        one.TryGetProperty("args", out var args) && args.TryGetProperty("name", out var name) ? name.GetString() : null;

    private static List<JsonElement> Write(params RunEvent[] events)
    {
        var stream = new MemoryStream();
        using (var file = new TraceFile(stream, Start, StartUtc))
        {
            foreach (var one in events.Where(file.Takes))
                file.Write(one, StartUtc.AddSeconds(5));
        }

        return [.. JsonElement.Parse(stream.ToArray()).EnumerateArray()];
    }
}
