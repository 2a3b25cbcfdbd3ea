using Distributed.Model;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class RunningStatisticsTests
{
    // A weight of two elements, two statistics side by side, a weight again.
    private static readonly ParameterLayout Layout = ParameterLayout.Of([
        ("a", [2], null),
        ("mean", [2], 0.25f),
        ("variance", [1], 0.5f),
        ("b", [3], (float?)null),
    ]);

    [Fact]
    public void AStatisticMovesByItsMomentumTowardsTheMeanOfTheSamples()
    {
        TrainingState current = State(2),
            next = State(99);
        RunningStatistics.Update(Layout, samples: 4, offset: 0, [7, 7, 8, -8, 40, 7, 7, 7], current, next);
        // 0.75 * 2 + 0.25 * 8/4, 0.75 * 2 + 0.25 * -8/4, 0.5 * 2 + 0.5 * 40/4
        BitAssert.Equal([99, 99, 2, 1, 6, 99, 99, 99], next.Weights.Span.ToArray());
    }

    [Fact]
    public void PiecesOfTheGradientMoveWhatIsInThem()
    {
        TrainingState current = State(2),
            next = State(99);
        float[] gradient = [7, 7, 8, -8, 40, 7, 7, 7];
        foreach (var piece in new[] { 3..5, 5..8, 0..3 })
            RunningStatistics.Update(Layout, samples: 4, piece.Start.Value, gradient.AsSpan(piece), current, next);
        BitAssert.Equal([99, 99, 2, 1, 6, 99, 99, 99], next.Weights.Span.ToArray());
        Assert.All(next.Moments, moment => Assert.Equal([99, 99, 0, 0, 0, 99, 99, 99], moment.Span.ToArray()));
    }

    [Fact]
    public void MomentsStayZeroInTheirPlaces()
    {
        var next = State(99);
        RunningStatistics.Update(Layout, samples: 4, offset: 0, new float[8], State(2), next);
        Assert.All(next.Moments, moment => Assert.Equal([99, 99, 0, 0, 0, 99, 99, 99], moment.Span.ToArray()));
    }

    [Fact]
    public void TheTrainedRangesAreWhatIsBetween()
    {
        Assert.Equal(["mean", "variance"], Layout.RunningStatistics.Select(statistic => statistic.Name));
        Assert.Equal([0..2, 5..8], Layout.TrainedRanges);
        Assert.Equal([2..3], ParameterLayout.Of([("mean", [2], 0.5f), ("a", [1], (float?)null)]).TrainedRanges);
        Assert.Equal([0..6], ParameterLayout.Of([("a", [4]), ("b", [2])]).TrainedRanges);
    }

    private static TrainingState State(float value)
    {
        TrainingState state = new(Layout.Length, moments: 2);
        state.Weights.Span.Fill(value);
        state.Moments[0].Span.Fill(value);
        state.Moments[1].Span.Fill(value);
        return state;
    }
}
