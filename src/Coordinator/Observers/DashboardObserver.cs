using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Shows a run as a page while it trains, and leaves it as a file at the end. Everything that takes time happens beside the run, and whatever
/// fails is a warning.
/// </summary>
/// <param name="options">Where the page is served.</param>
/// <param name="folder">The run folder.</param>
/// <param name="model">What is shown.</param>
/// <param name="finder">Looks for the samples that are predicted wrong.</param>
/// <param name="run">Receives the page's address and the warnings.</param>
/// <param name="time">The clock.</param>
internal sealed class DashboardObserver(
    DashboardOptions options,
    RunFolder folder,
    DashboardModel model,
    MistakeFinder finder,
    IRunObserver run,
    TimeProvider time
) : IRunObserver, IAsyncDisposable
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<DashboardServer?>? _serving;
    private MistakeSearch? _search;

    /// <inheritdoc/>
    public string Name => "the dashboard";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        model.Apply(runEvent);
        switch (runEvent)
        {
            case Listening or WorkerJoined or Waiting:
                _serving ??= Task.Run(ServeAsync);
                break;
            case RunStarted:
                _serving ??= Task.Run(ServeAsync);
                _started.TrySetResult();
                break;
            case SnapshotTaken snapshot:
                _search ??= new MistakeSearch(finder.Find, model.Show, time);
                _search.Offer(snapshot.Checkpoint);
                break;
            default:
                break;
        }
    }

    /// <summary>Writes the report, and ends the page.</summary>
    public async ValueTask DisposeAsync()
    {
        var hasStarted = _started.Task.IsCompleted;
        _started.TrySetResult();
        if (_search is { } search)
        {
            await search.DisposeAsync();
            if (search.Failure is { } failure)
            {
                var reason = failure.Message.ReplaceLineEndings(" ");
                run.Report(
                    new RunWarning($"the page shows no more samples that are predicted wrong ({reason}); nothing else depends on it")
                );
            }
        }

        finder.Dispose();
        var server = _serving is null ? null : await _serving;
        model.End();
        if (hasStarted)
            Try(RunReport.FileName, () => RunReport.Write(Path.Combine(folder.Path, RunReport.FileName), model));
        if (server is not null)
            await server.DisposeAsync();
    }

    private async Task<DashboardServer?> ServeAsync()
    {
        var port = new DashboardPort(folder.Path);
        var server = await StartAsync(port.Read());
        if (server is not null)
            Announce(server.Address);
        AddHistory();
        await _started.Task; // a folder whose run never begins is removed, and must be empty
        if (server is not null && Directory.Exists(folder.Path))
            Try(DashboardPort.FileName, () => port.Write(server.Address.Port));
        return server;
    }

    private async Task<DashboardServer?> StartAsync(int? remembered)
    {
        IOException? failure = null;
        foreach (var address in options.Candidates(remembered))
        {
            try
            {
                return await DashboardServer.StartAsync(address, model, time);
            }
            catch (IOException exception)
            {
                failure = exception;
            }
        }

        run.Report(
            new RunWarning(
                $"--dashboard {options.Address}: the page cannot be served there ({failure!.Message.ReplaceLineEndings(" ")}); training goes on "
                    + "without it. Name another port, or 0 for a free one"
            )
        );
        return null;
    }

    private void Announce(Uri address)
    {
        run.Report(new DashboardOpened(address.ToString()));
        if (AllowedHosts.IsOpen(address))
        {
            run.Report(
                new RunWarning(
                    $"--dashboard {options.Address}: anyone who reaches this address can read the run's configuration, figures and samples; "
                        + "leave it on this machine, and reach it through a tunnel, unless that is meant"
                )
            );
        }
    }

    private void AddHistory()
    {
        Try(
            "the earlier curves",
            () => model.AddHistory(RunHistory.Read(folder.Metrics.Path, folder.MembershipPath, model.Opened)),
            "read"
        );
    }

    private void Try(string what, Action act, string verb = "written")
    {
        try
        {
            act();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            run.Report(
                new RunWarning($"{folder.Path}: {what} cannot be {verb} ({WriteFailures.Reason(exception)}); nothing else depends on it")
            );
        }
    }
}
