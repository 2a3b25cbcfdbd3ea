using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class StepTimelineTests
{
    [Fact]
    public void Parts_add_up_to_the_step_and_nested_ones_give_back_what_was_done_before()
    {
        var timeline = new StepTimeline { KeepsSpans = true };
        timeline.Begin();
        Spin();
        var before = timeline.Enter(StepPart.Exchange);
        Assert.Equal(StepPart.Compute, before);
        Spin();
        Assert.Equal(StepPart.Exchange, timeline.Enter(StepPart.Waiting));
        Spin();
        timeline.Enter(before);
        Spin();
        timeline.End();
        StepPart[] parts = [.. timeline.Spans.Select(span => (StepPart)(span & 3))];
        Assert.Equal([StepPart.Compute, StepPart.Exchange, StepPart.Waiting, StepPart.Compute], parts);
        var spans = timeline.Spans.Sum(span => span >> StepTimeline.PartBits);
        var summed = Enum.GetValues<StepPart>().Sum(part => timeline.Of(part).TotalMicroseconds);
        Assert.InRange(summed - spans, 0, 1);
        Assert.Equal(TimeSpan.Zero, timeline.Of(StepPart.Update));
    }

    [Fact]
    public void Without_a_trace_nothing_is_kept_but_the_sums()
    {
        var timeline = new StepTimeline();
        timeline.Begin();
        timeline.Enter(StepPart.Update);
        Spin();
        timeline.End();
        Assert.Empty(timeline.Spans);
        Assert.True(timeline.Of(StepPart.Update) > TimeSpan.Zero);
        timeline.Begin();
        Assert.Equal(TimeSpan.Zero, timeline.Of(StepPart.Update));
    }

    [Fact]
    public void A_step_of_many_changes_keeps_a_bounded_number()
    {
        var timeline = new StepTimeline { KeepsSpans = true };
        timeline.Begin();
        for (var i = 0; i < 2 * StepTimeline.MostSpans; i++)
        {
            Spin();
            timeline.Enter((StepPart)(i % 4));
        }

        timeline.End();
        Assert.Equal(StepTimeline.MostSpans, timeline.Spans.Count);
    }

    // Until the clock has moved by more than a span's unit.
    private static void Spin()
    {
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMicroseconds < 2) { }
    }
}
