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

    [Theory]
    [InlineData("--label-column class", "--steps 4")]
    [InlineData("--label-column class --holdout 0.1", "--steps 4 --patience 2 --eval-every 1")]
    [InlineData("--label-column y --task regression", "--steps 4")]
    [InlineData("--label-column y --task regression --holdout 0.2 --weight-column x", "--steps 4")]
    public async Task A_run_on_a_pack_goes_on_and_is_verified(string columns, string training)
    {
        var (data, pack, run) = (WritePoints(), _folder.File("pack"), _folder.File("run"));
        await DoneAsync(["data", "pack", data, pack, .. columns.Split(' ')]);
        await CommandRunner.TrainAsync(run, $"--data {pack} {training}");

        await DoneAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Contains("same bits: ", await DoneAsync("verify", run, "--workers", "0"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--label-column class --holdout 0.1")]
    [InlineData("--label-column y --task regression --categorical class")]
    public async Task A_run_on_a_table_goes_on_with_the_same_data_packed(string columns)
    {
        var (data, pack, run) = (WritePoints(), _folder.File("pack"), _folder.File("run"));
        await CommandRunner.TrainAsync(run, $"--data {data} {columns} --steps 4");
        await DoneAsync(["data", "pack", data, pack, .. columns.Split(' ')]);

        await DoneAsync("train", "--resume", "--run", run, "--data", pack, "--workers", "0");
        Assert.Contains("same bits: ", await DoneAsync("verify", run, "--data", pack, "--workers", "0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pack_of_classes_is_not_trained_as_numbers()
    {
        var (data, pack) = (WritePoints(), _folder.File("pack"));
        await DoneAsync("data", "pack", data, pack, "--label-column", "class");
        var outcome = await CommandRunner.RunAsync("train", "--data", pack, "--task", "regression", "--run", _folder.File("run"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(
            $"error: {pack}: --task regression: it was packed for classification; leave it out, or pack the data again with it",
            Assert.Single(outcome.Errors)
        );
    }

    [Theory]
    [InlineData("eval", "class,y,x", "its columns stand in another order (y, x) than ")]
    [InlineData("predict", "class,y,x", "its columns stand in another order (y, x) than ")]
    [InlineData("eval", "class,x,z", "there is no column 'y', which ")]
    [InlineData("predict", "class,x,z", "there is no column 'y', which ")]
    public async Task Columns_of_a_pack_that_are_not_the_models_are_refused_by_name(string command, string header, string refusal)
    {
        var (data, run) = (WritePoints(), _folder.File("run"));
        await CommandRunner.TrainAsync(run, $"--data {data} --label-column class --standardize off --steps 2");
        var other = _folder.Write("other.csv", $"{header}\n" + string.Join('\n', (await File.ReadAllLinesAsync(data)).Skip(1)));
        var pack = _folder.File("pack");
        await DoneAsync("data", "pack", other, pack, "--label-column", "class", "--standardize", "off");

        var outcome = await CommandRunner.RunAsync(command, run, "--data", pack);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith($"error: other.csv: {refusal}", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_only_begun_is_no_table()
    {
        Directory.CreateDirectory(_folder.File("pack"));
        _folder.Write("pack/packing.lock", "");
        var outcome = await CommandRunner.RunAsync("data", "inspect", "--data", _folder.File("pack"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("it was not packed to the end; pack the data again", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pack_needs_a_folder()
    {
        var outcome = await CommandRunner.RunAsync("data", "pack", WritePoints(), "");
        Assert.Equal((2, "error: DIR is empty; name the folder to pack into"), (outcome.ExitCode, Assert.Single(outcome.Errors)));
    }

    private static async Task<string> DoneAsync(params string[] arguments)
    {
        var outcome = await CommandRunner.RunAsync(arguments);
        Assert.True(outcome.ExitCode == 0, string.Join('\n', outcome.Errors));
        return outcome.Output;
    }

    private string WritePoints() =>
        _folder.Write(
            "points.csv",
            "class,x,y\n"
                + string.Concat(Enumerable.Range(0, 300).Select(row => $"{(row % 7 < 3 ? "low" : "high")},{row % 7},{row % 5}.5\n"))
        );

    private async Task<(string Run, string Pack)> TrainedAsync()
    {
        var data = WritePoints();
        var (run, pack) = (_folder.File("run"), _folder.File("pack"));
        await DoneAsync("data", "pack", data, pack, "--label-column", "class");
        await CommandRunner.TrainAsync(run, $"--data {data} --label-column class --steps 2");
        return (run, pack);
    }
}
