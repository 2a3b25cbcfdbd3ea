using CsCheck;
using Distributed.Worker.Computing;
using Xunit;

namespace Distributed.Worker.Tests.Computing;

public sealed class ProcessorShareTests
{
    [Fact]
    public void Workers_have_all_processors_none_twice_and_each_enough_for_its_threads() =>
        Gen.Select(Gen.Int[2, 9], Gen.Int[1, 5], Gen.Int[0, 20])
            .Sample(
                (workers, threads, spare) =>
                {
                    int[] allowed = [.. Enumerable.Range(3, (workers * threads) + spare).Select(i => 2 * i)];
                    var shares = Enumerable
                        .Range(1, workers)
                        .Select(number => ProcessorShare.Of(allowed, number, workers, threads))
                        .ToList();
                    Assert.Equal(allowed, shares.SelectMany(share => share));
                    Assert.All(shares, share => Assert.True(share.Count >= threads));
                    Assert.True(shares.Max(share => share.Count) - shares.Min(share => share.Count) <= 1);
                }
            );

    [Theory]
    [InlineData(1, 1, 2)] // nobody to share with
    [InlineData(0, 0, 1)] // not started by the coordinator
    [InlineData(1, 2, 3)] // six threads on four processors
    [InlineData(1, int.MaxValue, 2)]
    public void Otherwise_the_system_places_the_threads(int number, int workers, int threads) =>
        Assert.Empty(ProcessorShare.Of([0, 1, 2, 3], number, workers, threads));
}
