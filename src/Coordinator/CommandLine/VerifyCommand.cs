using Distributed.Checkpoints;
using Distributed.Coordinator.Display;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.CommandLine;

/// <summary>
/// <c>verify</c>: trains a complete run once more, into a temporary folder and with another number of workers, and compares the weights bit
/// by bit.
/// </summary>
/// <param name="console">Where to write.</param>
/// <param name="runs">The ways to train.</param>
internal sealed class VerifyCommand(CommandConsole console, TrainingRunFactory runs)
{
    /// <summary>Trains again and compares.</summary>
    /// <param name="path">The run folder.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code: 1 if the bits differ.</returns>
    /// <exception cref="InputException">The folder holds no complete run, or its data is not the same any more.</exception>
    /// <exception cref="RunFailedException">The training could not go on.</exception>
    internal async Task<int> RunAsync(string path, VerifySettings settings)
    {
        using var interrupt = new InterruptSignal();
        var first = CompleteRun.Load(path);
        var cluster = settings.Cluster(first.Summary.Workers);
        var run = runs.Create(cluster);
        var display = RunDisplay.Create(settings.Display, console);
        using var temporary = new TemporaryRuns("verify-", "the second training");
        var second = temporary.Next();
        var result = await TrainAgainAsync(run, first, cluster, second, display, interrupt.Token);
        return result.Interrupted ? interrupt.ExitCode : Compare(first, path, result, second, display);
    }

    private static async Task<RunResult> TrainAgainAsync(
        ITrainingRun run,
        CompleteRun first,
        ClusterOptions cluster,
        string folderPath,
        IRunDisplay display,
        CancellationToken interrupt
    )
    {
        using var folder = RunFolder.Create(folderPath, first.Prepared.Configuration, first.Prepared.Network.Layout);
        var request = new RunRequest(
            first.Prepared.Configuration,
            first.Prepared.Dataset,
            first.Prepared.Network,
            cluster,
            folder,
            first.Prepared.InitialState()
        );
        return await display.FollowAsync(() => run.RunAsync(request, new RunRecorder(folder.Metrics, display), interrupt));
    }

    private static int Compare(CompleteRun first, string firstPath, RunResult second, string secondPath, IRunDisplay display)
    {
        var hash = WeightsHash.Compute(second.Weights.Span);
        var same = hash == first.WeightsSha256;
        var difference = same ? null : FirstDifference(firstPath, secondPath);
        var verified = new RunVerified(same, first.Summary.Workers, first.WeightsSha256, second.Workers, hash, difference);
        display.Report(verified);
        return same ? ExitCodes.Done : throw new RunFailedException(RunText.Verified(verified));
    }

    private static string FirstDifference(string firstPath, string secondPath)
    {
        var first = MetricsLog.LossTexts(RunFolder.MetricsPathOf(firstPath));
        var second = MetricsLog.LossTexts(RunFolder.MetricsPathOf(secondPath));
        foreach (var step in first.Keys.Union(second.Keys).Order())
        {
            string was = first.GetValueOrDefault(step, "missing"),
                now = second.GetValueOrDefault(step, "missing");
            if (was != now)
                return $"the first step that differs is {step}: loss {was} and {now}";
        }
        return "the losses of all steps are equal, so that the last update differs";
    }
}
