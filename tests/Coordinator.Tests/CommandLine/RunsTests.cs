using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class RunsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Runs_of_a_folder_are_listed_with_how_far_and_how_good_they_are()
    {
        await TrainAsync("first", "--steps 4 --eval-every 2");
        await TrainAsync("second", "--steps 4 --seed 2");
        File.Delete(_folder.File("second/summary.json")); // as of a run that is not complete
        _folder.Write("note.txt", "no run");
        var lines = (await RunsAsync(_folder.Path)).Output.Split('\n');
        Assert.Matches("^run +data +state +steps +test +best +samples/s +workers +weights", lines[0]);
        Assert.Matches("first +digits +complete +4 +loss [0-9.]+, accuracy [0-9.]+ +step 4 +[0-9,]+ +0 +[0-9a-f]{8}", lines[1]);
        Assert.Matches("second +digits +at step 4 of 4 +4 +loss [0-9.]+, accuracy [0-9.]+ +- +- +- +-", lines[2]);
    }

    [Fact]
    public async Task Compared_runs_show_the_options_that_differ_their_curves_and_the_outcome()
    {
        await TrainAsync("first", "--steps 6 --eval-every 2");
        await TrainAsync("second", "--steps 6 --eval-every 2 --learning-rate 0.001");
        var output = (await RunsAsync(_folder.Path, "--compare")).Output;
        Assert.Matches("option +first +second", output);
        Assert.Matches("optimizer.learningRate +0.1 +0.001", output);
        Assert.DoesNotContain("seed", output, StringComparison.Ordinal);
        Assert.Matches("second +complete +[0-9.]+ [▁-█]{3} [0-9.]+ +loss ", output);
    }

    [Fact]
    public async Task Equal_runs_are_said_to_be_equal()
    {
        await TrainAsync("first", "--steps 2");
        await TrainAsync("second", "--steps 2");
        Assert.Contains("all are equal", (await RunsAsync(_folder.Path, "--compare")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_options_and_evaluations_of_each_run()
    {
        await TrainAsync("first", "--steps 4 --eval-every 2");
        var run = JsonElement.Parse((await RunsAsync(_folder.File("first"), "--json")).Output);
        Assert.Equal("0.1", run.GetProperty("options").GetProperty("optimizer.learningRate").GetString());
        Assert.Equal(
            [2, 4],
            run.GetProperty("evaluations").EnumerateArray().Select(evaluation => evaluation.GetProperty("step").GetInt32())
        );
    }

    [Fact]
    public async Task A_run_that_cannot_be_read_is_named_and_does_not_hide_the_others()
    {
        await TrainAsync("first", "--steps 2");
        Directory.CreateDirectory(_folder.File("broken"));
        _folder.Write("broken/config.json", "{");
        var outcome = await RunsAsync(_folder.Path);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("first", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("config.json", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_of_different_data_are_not_compared()
    {
        await TrainAsync("first", "--steps 2");
        var rows = string.Concat(Enumerable.Range(0, 20).Select(row => $"{row},{(row > 9 ? "b" : "a")}\n"));
        await TrainAsync("second", $"--steps 2 --data {_folder.Write("rows.csv", "x,y\n" + rows)}");
        var outcome = await RunsAsync(_folder.Path, "--compare");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(
            "were trained on different data (digits, SHA-256 bb480e07.. and ",
            Assert.Single(outcome.Errors),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("nowhere", "nowhere: there is no such folder; name a run folder, or a folder of them")]
    [InlineData("--compere", "--compere: unknown option; did you mean --compare?")]
    public async Task What_is_no_run_is_refused(string place, string reason)
    {
        var outcome = await RunsAsync(place);
        Assert.Equal((2, $"error: {reason}"), (outcome.ExitCode, Assert.Single(outcome.Errors)));
    }

    [Fact]
    public async Task A_folder_without_runs_and_one_run_alone_are_refused()
    {
        Assert.Contains("holds no run", Assert.Single((await RunsAsync(_folder.Path)).Errors), StringComparison.Ordinal);
        await TrainAsync("first", "--steps 2");
        Assert.Contains(
            "--compare: there is 1 run",
            Assert.Single((await RunsAsync(_folder.Path, "--compare")).Errors),
            StringComparison.Ordinal
        );
    }

    private static Task<CommandOutcome> RunsAsync(params string[] arguments) => CommandRunner.RunAsync(["runs", .. arguments]);

    private Task<CommandOutcome> TrainAsync(string name, string options) => CommandRunner.TrainAsync(_folder.File(name), options);
}
