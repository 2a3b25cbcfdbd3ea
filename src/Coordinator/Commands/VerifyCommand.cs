using Distributed.Checkpoints;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Commands;

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
        var first = CompleteRun.Load(path, settings.Data, settings.InitWeights);
        var cluster = settings.Cluster(first.Summary.Workers);
        var run = runs.Create(cluster);
        using var temporary = new TemporaryRuns("verify-", "the second training");
        var second = temporary.Next();
        var (configuration, dataset, network) = (first.Prepared.Configuration, first.Prepared.Dataset, first.Prepared.Network);
        using var folder = RunFolder.Create(second, configuration, network.Layout);
        await using var observers = RunObservers.Of(folder, console.Error, RunDisplay.Create(settings.Display, console));
        var request = new RunRequest(configuration, dataset, network, cluster, folder, first.Prepared.InitialState())
        {
            Data = first.Prepared.Places.In(configuration.Options).Data,
        };
        var result = await run.RunAsync(request, observers, interrupt.Token);
        folder.Metrics.Dispose();
        return result.Interrupted ? interrupt.ExitCode : Compare(first, path, result, second, observers);
    }

    private static int Compare(CompleteRun first, string firstPath, RunResult second, string secondPath, RunObservers observers)
    {
        var hash = WeightsHash.Compute(second.Weights.Span);
        var same = hash == first.WeightsSha256;
        var difference = same ? null : FirstDifference(firstPath, secondPath);
        var verified = new RunVerified(same, first.Summary.Workers, first.WeightsSha256, second.Workers, hash, difference);
        observers.Report(verified);
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
