using Distributed.Coordinator.Benchmarks;
using Xunit;

namespace Distributed.Coordinator.Tests.Benchmarks;

public sealed class QuantilesTests
{
    [Theory]
    [InlineData(new double[] { 3 }, 3, 0)]
    [InlineData(new double[] { 3, 1 }, 3, 1 / 3.0)]
    [InlineData(new double[] { 5, 1, 2, 4, 3 }, 3, 1 / 3.0)]
    public void MedianAndSpreadDoNotDependOnTheOrder(double[] values, double median, double spread)
    {
        Assert.Equal(median, Quantiles.Median(values));
        Assert.Equal(spread, Quantiles.Spread(values), precision: 9);
    }
}
