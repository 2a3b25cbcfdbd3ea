namespace Distributed.Integration.Support;

/// <summary>Workers that join by themselves.</summary>
internal static class WorkerProcess
{
    /// <summary>Starts <c>worker</c> with options in a folder.</summary>
    public static RunningProcess Start(TempFolder folder, params IEnumerable<string> options) =>
        RunningProcess.Start(Executables.Worker, folder.Path, options);

    /// <summary>Starts a worker that joins a run; it knows nothing of the run's data.</summary>
    public static RunningProcess Join(TempFolder folder, string coordinator, string tokenFile) =>
        Start(folder, "--coordinator", coordinator, "--token-file", tokenFile, "--threads", "1");
}
