using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers.Files;

/// <summary>Opens the files for other tools that a command line asks for.</summary>
internal static class FileObservers
{
    /// <summary>Adds them to the observers of a run. A file that cannot be opened is a warning.</summary>
    /// <param name="observers">The run's observers.</param>
    /// <param name="folder">The run folder.</param>
    /// <param name="settings">What is asked for.</param>
    /// <param name="time">The clock.</param>
    public static void Add(RunObservers observers, string folder, TrainSettings settings, TimeProvider time)
    {
        var now = time.GetUtcNow();
        if (settings.Cluster.Trace)
            Add(FreeName(folder, "trace", ".json"), stream => new TraceFile(stream, time.GetElapsedTime(0), now));
        if (settings.Display.TensorBoard)
        {
            var name = TensorBoardFile.NameOf(now, Environment.MachineName, Environment.ProcessId);
            Add(Path.Combine(folder, name), stream => new TensorBoardFile(stream, now));
        }

        void Add(string path, Func<Stream, IEventFile> open)
        {
            try
            {
                observers.Add(
                    new FileObserver(
                        path,
                        open(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read)),
                        time,
                        observers
                    )
                );
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                observers.Report(
                    new RunWarning($"{path}: cannot be written ({WriteFailures.Reason(exception)}), and training goes on without it")
                );
            }
        }
    }

    // A resumed run has another one: its workers are others, and the file before is complete.
    private static string FreeName(string folder, string name, string extension)
    {
        var path = Path.Combine(folder, name + extension);
        for (var number = 2; File.Exists(path); number++)
            path = Path.Combine(folder, $"{name}-{number}{extension}");
        return path;
    }
}
