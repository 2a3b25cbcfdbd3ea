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
        Tell(prepared.Dataset, observers);
        var summary = await new KeptRun(prepared, folder, observers).TrainAsync(run, settings.Cluster, settings.Resume, interrupt.Token);
        return summary is null ? interrupt.ExitCode : ExitCodes.Done;
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
            return RunFolder.Resume(settings.Run!, prepared);
        var (configuration, layout) = (prepared.Configuration, prepared.Network.Layout);
        return settings.Run is { } path
            ? RunFolder.Create(path, configuration, layout)
            : RunFolder.CreateNew(DefaultParent, prepared.Dataset.Name, settings.Training.Model, console.Time, configuration, layout);
    }
}
