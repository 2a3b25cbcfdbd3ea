using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Objectives;

public sealed class ClassificationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Classification.MaximumClasses + 1)]
    public void AClassifierNeedsAPlausibleNumberOfClasses(int classes) =>
        Assert.Contains($"{classes} classes", Assert.Throws<InputException>(() => new Classification(classes)).Message);

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1f)]
    [InlineData(float.NaN)]
    public void ASmoothingOutOfRangeIsTheCallersMistake(float smoothing) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Classification(10, smoothing));

    [Fact]
    public void PeopleReadTheAccuracy() =>
        Assert.Equal([new Metric("accuracy", 0.75)], new Classification(10).Metrics(new BatchSums(loss: 8, count: 3, samples: 4)));
}
