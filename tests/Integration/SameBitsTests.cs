using System.Globalization;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>The promise: the weights are a function of configuration, data and seed, and of nothing else.</summary>
public sealed class SameBitsTests
{
    private const int Steps = 7;

    public static TheoryData<string, int, string, int> Cases =>
        new()
        {
            { "odd sizes", 0, "peers", 2 },
            { "odd sizes", 1, "peers", 2 },
            { "odd sizes", 2, "peers", 1 },
            { "odd sizes", 2, "coordinator", 2 },
            { "odd sizes", 3, "peers", 2 },
            { "odd sizes", 5, "coordinator", 1 },
            { "odd sizes", 8, "peers", 1 },
            { "fewer microbatches than workers", 0, "peers", 2 },
            { "fewer microbatches than workers", 1, "coordinator", 1 },
            { "fewer microbatches than workers", 3, "coordinator", 2 },
            { "fewer microbatches than workers", 5, "peers", 1 },
            { "fewer microbatches than workers", 8, "coordinator", 1 },
            { "file order", 2, "peers", 2 },
            { "file order", 3, "coordinator", 1 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Any_number_of_workers_threads_and_either_exchange_give_the_same_bits(
        string problem,
        int workers,
        string exchange,
        int threads
    )
    {
        var chosen = new[] { Problem.OddSizes, Problem.FewMicrobatches, Problem.FileOrder }.Single(known => known.Name == problem);
        using var folder = new TempFolder();
        var run = await FinishedRun.TrainAsync(
            folder,
            [
                .. chosen.WriteTo(folder),
                "--steps",
                Text(Steps),
                "--workers",
                Text(workers),
                "--exchange",
                exchange,
                "--threads",
                Text(threads),
            ]
        );

        var reference = await chosen.ReferenceAsync(Steps);
        Assert.Equal(reference.WeightsSha256, run.WeightsSha256);
        Assert.Equal(reference.Metrics, run.Metrics);
        Assert.Equal(reference.Model, run.Model);
        Assert.Equal(reference.State, run.State);
        Assert.Equal(workers, run.Workers);
    }

    [Theory]
    [InlineData("shm", "shm", 2)]
    [InlineData("shm", "shm", 5)]
    [InlineData("grpc", "grpc", 5)]
    [InlineData("auto", "shm", 3)]
    public async Task Any_transport_gives_the_same_bits(string transport, string used, int workers)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "shared memory needs Linux");
        using var folder = new TempFolder();
        var run = await FinishedRun.TrainAsync(
            folder,
            [
                .. Problem.OddSizes.WriteTo(folder),
                "--steps",
                Text(Steps),
                "--workers",
                Text(workers),
                "--transport",
                transport,
                "--threads",
                "1",
            ]
        );

        Assert.Equal((await Problem.OddSizes.ReferenceAsync(Steps)).State, run.State);
        Assert.Equal(used, run.Transport);
    }

    [Fact]
    public async Task Sixteen_workers_give_the_same_bits()
    {
        using var folder = new TempFolder();
        var run = await FinishedRun.TrainAsync(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--steps", Text(Steps), "--workers", "16", "--threads", "1"]
        );

        Assert.Equal((await Problem.OddSizes.ReferenceAsync(Steps)).State, run.State);
        Assert.Equal(16, run.Workers);
    }

    [Fact]
    public async Task Another_seed_gives_other_bits()
    {
        using var folder = new TempFolder();
        var run = await FinishedRun.TrainAsync(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--steps", Text(Steps), "--workers", "0", "--seed", "2"]
        );

        Assert.NotEqual((await Problem.OddSizes.ReferenceAsync(Steps)).WeightsSha256, run.WeightsSha256);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
