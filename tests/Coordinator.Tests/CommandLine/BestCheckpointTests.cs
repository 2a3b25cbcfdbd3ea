using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class BestCheckpointTests : IDisposable
{
    // At this rate the test loss rises and falls.
    private const string Restless = "--learning-rate 2 --schedule constant --eval-every 2 --checkpoint-every 2 --keep-checkpoints 1";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheBestIsKeptBesideTheNewestAndNamedInTheSummary()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--steps 40 {Restless}");
        var (step, loss) = Best(run);
        Assert.True(step < 40, "the last is the best: nothing is shown");
        Assert.Equal([step, 40], Checkpoints(run));
        var summary = Read(run);
        Assert.Equal(step, summary.GetProperty("bestStep").GetInt64());
        Assert.Equal(loss, summary.GetProperty("bestTestLoss").GetDouble());
        Assert.Equal($"checkpoints/step-{step}.safetensors", summary.GetProperty("bestCheckpoint").GetString());

        var eval = await CommandRunner.RunAsync("eval", Path.Combine(run, summary.GetProperty("bestCheckpoint").GetString()!), "--json");
        Assert.Equal(0, eval.ExitCode);
        Assert.Equal(loss, JsonElement.Parse(eval.Output).GetProperty("loss").GetDouble(), 1e-3);
    }

    // What is the best so far is known from the metrics.
    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(30)]
    public async Task ARestartKnowsTheBest(int stop)
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, $"--steps 40 {Restless}");
        await CommandRunner.TrainAsync(cut, $"--steps {stop} {Restless}");
        Assert.Equal(
            0,
            (
                await CommandRunner.RunAsync(
                    "train",
                    "--resume",
                    "--run",
                    cut,
                    "--workers",
                    "0",
                    "--steps",
                    "40",
                    "--keep-checkpoints",
                    "1"
                )
            ).ExitCode
        );
        Assert.Equal(Checkpoints(whole), Checkpoints(cut));
        Assert.Equal(Read(whole).GetProperty("bestStep").GetInt64(), Read(cut).GetProperty("bestStep").GetInt64());
    }

    [Fact]
    public async Task ABestStepWithoutACheckpointIsNamedAllTheSame()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(
            run,
            $"--steps 40 {Restless}".Replace("--checkpoint-every 2", "--checkpoint-every 41", StringComparison.Ordinal)
        );
        var summary = Read(run);
        Assert.Equal(Best(run).Step, summary.GetProperty("bestStep").GetInt64());
        Assert.Equal(JsonValueKind.Null, summary.GetProperty("bestCheckpoint").ValueKind);
    }

    [Fact]
    public async Task KeepingNoneIsRefused()
    {
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), "--steps 2 --keep-checkpoints 0");
        Assert.Equal((2, "error: --keep-checkpoints 0: must be at least 1"), (outcome.ExitCode, Assert.Single(outcome.Errors)));
    }

    private static (long Step, double Loss) Best(string run) =>
        File.ReadLines(Path.Combine(run, "metrics.jsonl"))
            .Select(line => JsonElement.Parse(line))
            .Where(line => line.TryGetProperty("testLoss", out _))
            .Select(line => (line.GetProperty("step").GetInt64(), line.GetProperty("testLoss").GetDouble()))
            .MinBy(evaluation => evaluation.Item2); // of equal ones the first

    private static long[] Checkpoints(string run) =>
        [
            .. Directory
                .GetFiles(Path.Combine(run, "checkpoints"))
                .Select(path =>
                    long.Parse(Path.GetFileNameWithoutExtension(path)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture)
                )
                .Order(),
        ];

    private static JsonElement Read(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
}
