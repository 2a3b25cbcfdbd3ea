using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class VerifyAndEvalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARunTrainedAgainHasTheSameBits()
    {
        var run = await TrainedAsync();
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0", "--threads", "2", "--quiet");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Matches("^same bits: no workers = no workers = [0-9a-f]{64}\n$", outcome.Output);
    }

    [Fact]
    public async Task TheFirstStepThatDiffersIsNamed()
    {
        var run = await TrainedAsync();
        var other = _folder.File("other");
        await CommandRunner.TrainAsync(other, "--steps 12 --eval-every 5 --learning-rate 0.06");
        foreach (var name in new[] { "model.safetensors", "summary.json", "metrics.jsonl" })
            File.Copy(Path.Combine(other, name), Path.Combine(run, name), overwrite: true);
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0", "--quiet");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("the first step that differs is 2: loss ", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AModelThatWasChangedIsNotVerified()
    {
        var run = await TrainedAsync();
        var model = Path.Combine(run, "model.safetensors");
        var bytes = File.ReadAllBytes(model);
        bytes[^1] ^= 0x80;
        File.WriteAllBytes(model, bytes);
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("one of the files was changed", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARunThatIsNotCompleteIsNotVerified()
    {
        var run = await TrainedAsync();
        File.Delete(Path.Combine(run, "summary.json"));
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("not complete", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EvaluatingARunGivesTheAccuracyOfItsSummary()
    {
        var run = await TrainedAsync();
        var summary = JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
        var outcome = await CommandRunner.RunAsync("eval", run, "--json");
        var result = JsonElement.Parse(outcome.Output);
        Assert.Equal(summary.GetProperty("testAccuracy").GetDouble(), result.GetProperty("accuracy").GetDouble());
        Assert.Equal(summary.GetProperty("testLoss").GetDouble(), result.GetProperty("loss").GetDouble(), 1e-5);
        Assert.Equal(10, result.GetProperty("classes").GetArrayLength());
        Assert.Equal(359, result.GetProperty("samples").GetInt32());
    }

    [Fact]
    public async Task AModelMeetsNewDataWithTheScalingOfItsTrainingData()
    {
        var train = _folder.Write("train.csv", Points(0));
        var shifted = _folder.Write("new.csv", Points(5));
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--data {train} --epochs 60");
        var model = Path.Combine(_folder.Path, "model.safetensors");
        File.Copy(Path.Combine(run, "model.safetensors"), model);
        var own = JsonElement.Parse((await CommandRunner.RunAsync("eval", model, "--data", train, "--part", "all", "--json")).Output);
        var other = JsonElement.Parse((await CommandRunner.RunAsync("eval", model, "--data", shifted, "--part", "all", "--json")).Output);
        Assert.True(own.GetProperty("accuracy").GetDouble() > 0.95);
        Assert.True(other.GetProperty("accuracy").GetDouble() < 0.9); // scaled by its own columns the shift would vanish
    }

    [Fact]
    public async Task AModelByItselfNeedsData()
    {
        var run = await TrainedAsync();
        var model = Path.Combine(_folder.Path, "model.safetensors");
        File.Copy(Path.Combine(run, "model.safetensors"), model);
        var outcome = await CommandRunner.RunAsync("eval", model);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--data: name the data", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataOfAnotherShapeIsRefused()
    {
        var run = await TrainedAsync();
        var outcome = await CommandRunner.RunAsync("eval", run, "--data", _folder.Write("points.csv", Points(0)));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("a sample has 2 values", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataIsListedAndInspected()
    {
        Assert.Contains("digits: ", (await CommandRunner.RunAsync("data", "list")).Output, StringComparison.Ordinal);
        var inspected = (await CommandRunner.RunAsync("data", "inspect", "--data", "digits")).Output;
        Assert.Contains("1438 to train on, 359 to test on", inspected, StringComparison.Ordinal);
        Assert.Contains("class 9: 138 + 42", inspected, StringComparison.Ordinal);
    }

    private async Task<string> TrainedAsync()
    {
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, "--steps 12 --eval-every 5");
        Assert.Equal(0, outcome.ExitCode);
        return run;
    }

    /// <summary>Two classes that a threshold on x tells apart, moved along x.</summary>
    private static string Points(int shift) =>
        "x,y,class\n"
        + string.Concat(
            Enumerable.Range(0, 200).Select(i => $"{(i * 7 % 100 / 10.0) + shift},{i % 3},{(i * 7 % 100 >= 50 ? "high" : "low")}\n")
        );
}
