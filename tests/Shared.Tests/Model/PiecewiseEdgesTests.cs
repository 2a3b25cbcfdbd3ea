using CsCheck;
using Distributed.Model.Layers;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class PiecewiseEdgesTests
{
    /// <summary>Most rows are 0, which is one of many values, but three of five quantiles of the rows.</summary>
    [Fact]
    public void QuantilesAreTakenOfDistinctValuesOrOfRows()
    {
        float[] values = [.. Enumerable.Repeat(0f, 100), .. Enumerable.Range(1, 40)];
        Assert.Equal([0, 10, 20, 30, 40], PiecewiseEdges.Of([.. values], 4, PiecewiseOver.Values));
        Assert.Equal([0, 5, 40], PiecewiseEdges.Of([.. values], 4, PiecewiseOver.Rows));
        Assert.Equal([0, 5, 10, 20, 30, 40], PiecewiseEdges.Of([.. values], 8, PiecewiseOver.Both));
    }

    [Theory]
    [InlineData(new[] { 3f, 3, 1, 2, 2, 2 }, 16, new[] { 1f, 2, 3 })] // fewer values than bins
    [InlineData(new[] { 1f, 0, 0, 1, 0 }, 16, new[] { 0f, 1 })] // two values: one bin
    [InlineData(new[] { 1f, 0, 0, 1, 0 }, 1, new[] { 0f, 1 })]
    [InlineData(new[] { 5f, 5, 5 }, 16, new[] { 5f, 6 })] // one value: a bin of width 1
    [InlineData(new[] { -2.5f }, 1, new[] { -2.5f, -1.5f })]
    [InlineData(new[] { 4f, 9, 2, 3, 1, 6, 7, 8, 5 }, 16, new[] { 1f, 2, 3, 4, 5, 6, 7, 8, 9 })]
    public void ColumnsOfFewValuesHaveFewBins(float[] values, int bins, float[] expected)
    {
        foreach (var over in Enum.GetValues<PiecewiseOver>())
            Assert.Equal(expected, PiecewiseEdges.Of([.. values], bins, over));
    }

    [Theory]
    [InlineData(1e30f)]
    [InlineData(-1e30f)]
    [InlineData(float.MaxValue)]
    [InlineData(float.MinValue)]
    public void OneLargeValueHasABinToo(float value)
    {
        _ = new PiecewiseSpec([PiecewiseEdges.Of([value, value], 4, PiecewiseOver.Values)]); // finite and ascending
    }

    /// <summary>Zeros of either sign are one value, and give the same bits wherever they stand.</summary>
    [Fact]
    public void TheOrderOfRowsDoesNotMatter() =>
        Gen.Select(Gen.OneOf(Gen.Float[-4, 4], Gen.Const(-0f), Gen.Const(0f)).Array[1, 50], Gen.Int[1, 12], Gen.Int[0, 1], Gen.Int[0, 1000])
            .Sample(
                (values, bins, over, seed) =>
                {
                    var edges = PiecewiseEdges.Of([.. values], bins, (PiecewiseOver)over);
                    var shuffled = values.Select((value, i) => (value, (i + 1) * 7919 * (seed + 1) % 104729)).OrderBy(pair => pair.Item2);
                    BitAssert.Equal(edges, PiecewiseEdges.Of([.. shuffled.Select(pair => pair.value)], bins, (PiecewiseOver)over));
                    Assert.InRange(edges.Length, 2, bins + 1);
                    Assert.True(edges.Zip(edges.Skip(1), (lower, upper) => lower < upper).All(isAscending => isAscending));
                    if (values.Distinct().Count() > 1)
                        Assert.Equal((values.Min(), values.Max()), (edges[0], edges[^1]));
                }
            );
}
