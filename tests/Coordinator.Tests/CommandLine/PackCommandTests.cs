using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class PackCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_is_judged_by_a_pack_whatever_its_run_said_of_columns()
    {
        var (run, pack) = await TrainedAsync();
        var outcome = await CommandRunner.RunAsync("eval", run, "--data", pack);
        Assert.True(outcome.ExitCode == 0, string.Join('\n', outcome.Errors));
        Assert.StartsWith("points.csv, test part: 60 samples, ", outcome.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eval", "--label-column y", "--label-column y")]
    [InlineData("eval", "--header off", "--header")]
    [InlineData("eval", "--holdout 0.1 --part holdout", "--holdout 0.1")]
    [InlineData("eval", "--test points.csv", "--test points.csv")]
    [InlineData("train", "--label-column y", "--label-column y")]
    [InlineData("train", "--weight-column y", "--weight-column")]
    [InlineData("train", "--holdout 0.1", "--holdout 0.1")]
    [InlineData("train", "--standardize off", "--standardize off")]
    [InlineData("predict", "--ignore y", "--ignore")]
    public async Task What_was_decided_when_data_was_packed_is_refused_by_name(string command, string options, string named)
    {
        var (run, pack) = await TrainedAsync();
        string[] model = command == "train" ? [] : [run];
        options = options.Replace("points.csv", _folder.File("points.csv"), StringComparison.Ordinal);
        named = named.Replace("points.csv", _folder.File("points.csv"), StringComparison.Ordinal);

        var outcome = await CommandRunner.RunAsync([command, .. model, "--data", pack, .. options.Split(' ')]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(
            $"error: {pack}: {named} was decided when it was packed; leave it out, or pack the data again with it",
            Assert.Single(outcome.Errors)
        );
    }

    private async Task<(string Run, string Pack)> TrainedAsync()
    {
        var data = _folder.Write(
            "points.csv",
            "class,x,y\n"
                + string.Concat(Enumerable.Range(0, 300).Select(row => $"{(row % 7 < 3 ? "low" : "high")},{row % 7},{row % 5}.5\n"))
        );
        var (run, pack) = (_folder.File("run"), _folder.File("pack"));
        var packed = await CommandRunner.RunAsync("data", "pack", data, pack, "--label-column", "class");
        Assert.True(packed.ExitCode == 0, string.Join('\n', packed.Errors));
        await CommandRunner.TrainAsync(run, $"--data {data} --label-column class --steps 2");
        return (run, pack);
    }
}
