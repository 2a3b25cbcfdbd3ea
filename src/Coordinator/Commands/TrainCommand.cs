using Distributed.Checkpoints;
using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Observers.Files;
using Distributed.Coordinator.Observers.Meters;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary><c>train</c>: loads and checks everything, opens the run folder, trains, and leaves model and summary.</summary>
/// <param name="console">Where to write.</param>
/// <param name="runs">The ways to train.</param>
internal sealed class TrainCommand(CommandConsole console, TrainingRunFactory runs)
{
    private const string DefaultParent = "runs";

    /// <summary>Trains.</summary>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">What the settings name is not right; nothing has been written.</exception>
    /// <exception cref="RunFailedException">The run could not go on.</exception>
    internal async Task<int> RunAsync(TrainSettings settings)
    {
        using var interrupt = new InterruptSignal();
        using var logs = ProcessLogs.Open(settings.Display.Logs);
        var run = runs.Create(settings.Cluster, logs);
        var prepared = Prepare(settings);
        using var folder = Open(settings, prepared);
        folder.Checkpoints.Keep = settings.KeepCheckpoints;
        using var telemetry = TelemetryExport.Start(); // until the observers have ended what they measure
        await using var observers = RunObservers.Of(folder, console.Error);
        if (console.HasDashboard && settings.Dashboard.IsOn)
            observers.Add(Dashboard(settings, prepared, folder, observers));
        observers.Add(RunDisplay.Create(settings.Display, console)); // after the page, which may have something to say at the end
        observers.Add(new MeterObserver());
        observers.Add(new LogObserver(logs.Factory.CreateLogger<LogObserver>()));
        FileObservers.Add(observers, folder.Path, settings, console.Time);
        try
        {
            Tell(prepared.Dataset, observers);
            var (start, best) = FindStart(settings, prepared, folder, observers);
            var summary = RunFolder.ReadSummary(folder.Path);
            var isComplete =
                start.Step == prepared.Configuration.Steps || (summary is { StoppedEarly: true } && start.Step == summary.Steps);
            return isComplete && summary is not null
                ? Finish(observers, new RunCompleted(folder.Path, summary), ExitCodes.Done)
                : await TrainAsync(run, prepared, settings, folder, start, best, observers, interrupt);
        }
        catch (OutOfMemoryException exception)
        {
            var use = MemoryUse.Of(prepared.Dataset, prepared.Network, prepared.Configuration.Options);
            throw new RunFailedException(use.Exhausted(), exception);
        }
        catch (InputException)
        {
            folder.Discard();
            throw;
        }
    }

    private DashboardObserver Dashboard(TrainSettings settings, RunPreparation prepared, RunFolder folder, RunObservers observers)
    {
        var configuration = prepared.Configuration;
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path)));
        return new DashboardObserver(
            settings.Dashboard,
            folder,
            new DashboardModel(new RunFacts(name, folder.Path, RunConfigurationJson.Write(configuration)), console.Time),
            new MistakeFinder(prepared.Dataset, prepared.Network, configuration.Options.ObjectiveOf(prepared.Dataset)),
            observers,
            console.Time
        );
    }

    // What is known of a run that is resumed was told when it began.
    private static RunPreparation Prepare(TrainSettings settings)
    {
        var begun = settings.Resume ? RunFolder.ReadConfiguration(settings.Run!) : null;
        var prepared = Load(settings.Training with { Data = settings.Training.Data with { WantsReport = begun is null } }, begun);
        var differences = begun is null ? [] : ResumeRule.Errors(begun, prepared.Configuration);
        return differences.Count == 0
            ? prepared
            : throw new InputException(string.Join('\n', differences.Select(difference => $"--resume: {difference}")));
    }

    private static RunPreparation Load(TrainingOptions options, RunConfiguration? begun)
    {
        try
        {
            return RunPreparation.Load(options, begun);
        }
        catch (OutOfMemoryException exception)
        {
            throw new RunFailedException(MemoryUse.WhileReading, exception);
        }
    }

    private static void Tell(Dataset dataset, RunObservers observers)
    {
        if (dataset.Report is not { } report)
            return;
        if (report.Task is { } reason)
            observers.Report(new TaskChosen(dataset.Task, reason));
        foreach (var warning in report.Warnings)
            observers.Report(new RunWarning(warning));
    }

    private RunFolder Open(TrainSettings settings, RunPreparation prepared)
    {
        if (settings.Resume)
        {
            var resumed = RunFolder.Resume(settings.Run!, prepared.Configuration, prepared.Network.Layout);
            if (prepared.Places != Places.Of(RunFolder.ReadOptions(settings.Run!)))
                resumed.WritePlaces(prepared.Places);
            return resumed;
        }

        var (configuration, layout) = (prepared.Configuration, prepared.Network.Layout);
        return settings.Run is { } path
            ? RunFolder.Create(path, configuration, layout)
            : RunFolder.CreateNew(DefaultParent, prepared.Dataset.Name, settings.Training.Model, console.Time, configuration, layout);
    }

    private static (Checkpoint Start, BestState? Best) FindStart(
        TrainSettings settings,
        RunPreparation prepared,
        RunFolder folder,
        RunObservers observers
    )
    {
        if (!settings.Resume)
            return (prepared.InitialState(), null);
        var moments = prepared.Configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        var before = long.MaxValue;
        while (folder.Checkpoints.LoadLatest(moments, Warn, folder.Lineage(), before) is { } start)
        {
            if (!folder.Checkpoints.Steps.Contains(start.Step))
                EmergencyStart.Adopt(start, prepared, folder, observers);
            var search = BestStart.Find(start, prepared.Configuration, folder.Metrics.Evaluations(), step =>
                folder.Checkpoints.Load(step, moments, Warn)
            );
            if (search.MissingStep is not { } missing)
                return (start, search.Best);
            Warn(
                $"the state after step {start.Step} is passed over: the evaluation or the checkpoint of step {missing} is missing, on which "
                    + "--patience depends; going on from an earlier one"
            );
            before = missing;
        }

        return (prepared.InitialState(), null);

        void Warn(string message) => observers.Report(new RunWarning(message));
    }

    private static async Task<int> TrainAsync(
        ITrainingRun run,
        RunPreparation prepared,
        TrainSettings settings,
        RunFolder folder,
        Checkpoint start,
        BestState? best,
        RunObservers observers,
        InterruptSignal interrupt
    )
    {
        var request = new RunRequest(prepared.Configuration, prepared.Dataset, prepared.Network, settings.Cluster, folder, start)
        {
            Logged = folder.Metrics.Position(),
            Evaluations = prepared.Configuration.Options.Patience is null ? [] : folder.Metrics.Evaluations(),
            Best = best,
            Data = prepared.Places.In(prepared.Configuration.Options).Data,
        };
        var result = await run.RunAsync(request, observers, interrupt.Token);
        if (result.Interrupted)
            return Finish(observers, new RunInterrupted(result.Step, folder.Path), interrupt.ExitCode);
        var summary = Summarize(result, prepared, folder);
        folder.Complete(prepared.Network.Layout, result.Weights, prepared.Describe(), summary);
        return Finish(observers, new RunCompleted(folder.Path, summary), ExitCodes.Done);
    }

    private static RunSummary Summarize(RunResult result, RunPreparation prepared, RunFolder folder)
    {
        var best = folder.Metrics.BestUpTo(result.Step); // with --patience, the one whose weights are the model
        return new(
            result.Step,
            result.Samples,
            result.Seconds,
            result.Seconds > 0 ? result.Samples / result.Seconds : 0,
            folder.Metrics.LastEpochLoss(),
            result.TestLoss ?? throw new InvalidOperationException("a complete run has been evaluated"),
            [.. result.TestMetrics, .. prepared.FinalMetrics(result.Weights)],
            WeightsHash.Compute(result.Weights.Span),
            result.Workers,
            result.Transport
        )
        {
            HeldOut = result.HeldOut is { } heldOut
                ? heldOut with
                {
                    Metrics = [.. heldOut.Metrics, .. prepared.FinalMetrics(result.Weights, DataPart.Holdout)],
                }
                : null,
            BestHoldoutLoss = best?.HoldoutLoss,
            StoppedEarly = prepared.Configuration.Options.Patience is null ? null : result.StopReason is not null,
            StopReason = result.StopReason,
            WorkersLost = result.WorkersLost,
            WorkersJoined = result.WorkersJoined,
            BestStep = best?.Step,
            BestTestLoss = best?.TestLoss,
            BestCheckpoint = best is null ? null : folder.NameOfCheckpoint(best.Step),
        };
    }

    private static int Finish(RunObservers observers, RunEvent last, int exitCode)
    {
        observers.Report(last);
        return exitCode;
    }
}
