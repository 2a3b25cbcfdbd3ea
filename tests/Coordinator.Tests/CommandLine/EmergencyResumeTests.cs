using Distributed.Checkpoints;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class EmergencyResumeTests : IDisposable
{
    private const string Options = "--steps 20 --eval-every 4 --checkpoint-every 6";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The workers had trained steps that their coordinator had not logged yet, and not evaluated after step 8.
    [Theory]
    [InlineData("")]
    [InlineData("checkpoints")]
    public async Task ARunGoesOnFromAnEmergencyCheckpointWithTheMetricsOfItsWorkers(string place)
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, Options);
        await CommandRunner.TrainAsync(cut, Options);
        CutBackTo(cut, lines: 6); // five steps and an evaluation
        var file = LeaveState(cut, step: 8, firstRecord: 5, Path.Combine(cut, place));

        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0");
        Assert.Equal(0, resumed.ExitCode);
        Assert.Contains("goes on from the state after step 8", Assert.Single(resumed.Errors), StringComparison.Ordinal);
        Assert.Equal(Summary(whole).WeightsSha256, Summary(cut).WeightsSha256);
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(Path.Combine(cut, "metrics.jsonl")));
        Assert.True(File.Exists(file), "the file is the user's");

        // The run has newer checkpoints of its own now.
        File.Delete(Path.Combine(cut, "summary.json"));
        Assert.Empty((await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0")).Errors);
    }

    [Fact]
    public async Task StepsThatNobodyHasLoggedAreNamed()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, Options);
        CutBackTo(run, lines: 6);
        LeaveState(run, step: 9, firstRecord: 8, run);
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Equal((0, 2), (resumed.ExitCode, resumed.Errors.Count));
        Assert.Contains("metrics.jsonl: lacks lines of steps 6 to 8: ", resumed.Errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEmergencyCheckpointOfAnotherRunIsRefusedByName()
    {
        string run = _folder.File("run"),
            other = _folder.File("other");
        await CommandRunner.TrainAsync(run, Options);
        await CommandRunner.TrainAsync(other, Options + " --seed 2");
        CutBackTo(run, lines: 6);
        var file = LeaveState(other, step: 8, firstRecord: 1, run);
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Equal(2, resumed.ExitCode);
        Assert.StartsWith($"error: {file}: its configuration hash is ", Assert.Single(resumed.Errors), StringComparison.Ordinal);
    }

    // As after kill -9, in the middle of a line.
    private static void CutBackTo(string run, int lines)
    {
        var metrics = Path.Combine(run, "metrics.jsonl");
        var all = File.ReadAllLines(metrics);
        File.WriteAllText(metrics, string.Concat(all.Take(lines).Select(line => line + "\n")) + all[lines][..20]);
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        Directory.CreateDirectory(Path.Combine(run, "checkpoints"));
        File.Delete(Path.Combine(run, "summary.json"));
        File.Delete(Path.Combine(run, "model.safetensors"));
    }

    // What a worker leaves: the state after a step of a run, with the records of the steps since another.
    private static string LeaveState(string run, long step, long firstRecord, string folder)
    {
        var configuration = RunFolder.ReadConfiguration(run);
        var prepared = RunPreparation.Load(RunFolder.ReadOptions(run));
        using var trainer = new LocalTrainer(
            TrainingSettings.Of(configuration, prepared.Network, configuration.CreateObjective(prepared.Dataset)),
            prepared.Dataset,
            configuration.Batches(prepared.Dataset.Train.Count),
            threads: 1
        );
        trainer.State.Restore(prepared.InitialState());
        var reports = new StepReports();
        for (var trained = 1L; trained <= step; trained++)
        {
            var record = new byte[StepRecord.ByteLength];
            new StepRecord(trainer.Step(), SampleChecksum: 0).Write(record);
            if (trained >= firstRecord)
                reports.Reports.Add(new StepReport { Step = (ulong)trained, Record = ByteString.CopyFrom(record) });
        }

        var moments = configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        return EmergencyFile.Write(
            folder,
            new CheckpointFormat(prepared.Network.Layout, RunConfigurationJson.Hash(configuration)),
            trainer.State.ToCheckpoint(moments) with
            {
                Records = reports.ToByteArray(),
            }
        );
    }

    private static RunSummary Summary(string run) => RunFolder.ReadSummary(run)!;
}
