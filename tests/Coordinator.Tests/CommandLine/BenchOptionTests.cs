using Distributed.Coordinator.Options;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class BenchOptionTests
{
    [Theory]
    [InlineData("allreduce --workers 1", "--workers 1: must be from 2 to 64")]
    [InlineData("allreduce --steps 0", "--steps 0: must be at least 1")]
    [InlineData("allreduce --sizes 1,0", "--sizes 0: must be above 0")]
    [InlineData("allreduce --hosts node1", "--hosts node1: must be 2 to 64 names of machines, separated by commas")]
    [InlineData("allreduce --hosts node1,,node2", "--hosts node1,,node2: must be 2 to 64 names")]
    [InlineData("scaling --workers 0,2", "--workers 0: must be from 1 to 1024")]
    [InlineData("scaling --workers 1,x", "--workers 1,x: must be a whole number")]
    [InlineData("scaling --workers 1,2,1", "--workers 1,2,1: must name each number once")]
    [InlineData("scaling --workers 1025", "--workers 1025: must be from 1 to 1024")]
    [InlineData("scaling --batch-per-worker 0", "--batch-per-worker 0: must be from 1 to ")]
    [InlineData(
        "scaling --workers 1,1000 --batch-per-worker 1049",
        "--batch-per-worker 1049: must be from 1 to 1048, so that all workers together have at most 1048576"
    )]
    [InlineData("scaling --threads 0", "--threads 0: must be from 1 to 1024")]
    [InlineData("scaling --rounds 0", "--rounds 0: must be at least 1")]
    [InlineData("scaling --seconds 0", "--seconds 0: must be above 0 and at most 3600")]
    [InlineData("scaling --warm-up -1", "--warm-up -1: must be from 0 to 3600")]
    [InlineData("scaling --transport pigeon", "--transport pigeon: must be auto or shm or tcp or grpc")]
    [InlineData("scaling --model rnn", "--model rnn: the model 'rnn' is unknown")]
    [InlineData("scaling --data nowhere", "nowhere")]
    [InlineData("scaling --batch-size 5", "--batch-size: unknown option")]
    public async Task ABadOptionIsOneLine(string options, string message)
    {
        var outcome = await CommandRunner.RunAsync(["bench", .. options.Split(' ')]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, Assert.Single(outcome.Errors), StringComparison.Ordinal);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public async Task AllBadOptionsAreNamedAtOnce()
    {
        var outcome = await CommandRunner.RunAsync(
            "bench",
            "scaling",
            "--workers",
            "0",
            "--rounds",
            "0",
            "--model",
            "rnn",
            "--threads",
            "0",
            "--zzz"
        );
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(5, outcome.Errors.Count);
    }

    [Fact]
    public void EveryExampleIsAValidValue()
    {
        foreach (var option in ScalingSettings.Options)
            option.Apply(new ScalingSettings(), option.IsSwitch ? OptionSpec<ScalingSettings>.On : option.Example);
        Assert.Empty(new ScalingSettings().Validate());
    }

    [Fact]
    public void EveryWorkerHasABatchOfTheSameSizeInTheSameMicrobatches()
    {
        var settings = new ScalingSettings { BatchPerWorker = 20 };
        Assert.Equal([20, 80], new[] { 1, 4 }.Select(workers => settings.Training(workers).BatchSize));
        Assert.Equal([20, 20], new[] { 1, 4 }.Select(workers => settings.Training(workers).ResolvedMicrobatch));
    }
}
