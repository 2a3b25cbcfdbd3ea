using CsCheck;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class EarlyStoppingTests
{
    [Theory]
    [InlineData(1, "5 4 3 3", 4, 3)] // as good is no better
    [InlineData(2, "5 4 3 4 3", 5, 3)]
    [InlineData(2, "5 4 5 3 4 4", 6, 4)] // an improvement in between counts anew
    [InlineData(3, "5 4 5 5", null, 2)]
    [InlineData(2, "NaN NaN", 2, null)]
    [InlineData(2, "4 NaN Infinity", 3, 1)]
    [InlineData(1, "-Infinity", 1, null)]
    [InlineData(1, "", null, null)]
    public void Training_stops_after_as_many_evaluations_without_a_lower_loss(int patience, string losses, int? stopped, int? best)
    {
        var stopping = Of(patience, [.. losses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number)]);
        Assert.Equal((stopped, best), (stopping.HasStopped ? (int?)stopping.LastStep : null, (int?)stopping.BestStep));
        Assert.Equal(stopped is null, stopping.Reason is null);
    }

    [Fact]
    public void The_reason_says_since_when() =>
        Assert.Equal("the held-out loss has not improved in 2 evaluations since step 2", Of(2, 5, 4, 4, 6).Reason);

    [Fact]
    public void What_was_known_at_an_earlier_step_is_what_a_run_that_went_no_further_knows() =>
        Gen.Select(Gen.Double[0, 3].Array[0, 12], Gen.Int[1, 4], Gen.Int[0, 14])
            .Sample(
                (losses, patience, step) =>
                {
                    var (went, did) = (Of(patience, losses).UpTo(step), Of(patience, [.. losses.Take(step)]));
                    return (went.BestStep, went.BestLoss, went.HasStopped, went.LastStep, went.Reason)
                        == (did.BestStep, did.BestLoss, did.HasStopped, did.LastStep, did.Reason);
                }
            );

    [Fact]
    public void Evaluations_come_in_order()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Of(2, 5, 4).After(2, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EarlyStopping(0));
    }

    private static EarlyStopping Of(int patience, params double[] losses)
    {
        var stopping = new EarlyStopping(patience);
        foreach (var (index, loss) in losses.Index())
            stopping = stopping.After(index + 1, loss);
        return stopping;
    }

    private static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
