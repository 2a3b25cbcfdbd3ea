using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>Tells of a file that cannot be written: each distinct failure once, until a write succeeds again.</summary>
/// <param name="run">Receives the warnings.</param>
internal sealed class WriteFailures(IRunObserver run)
{
    /// <summary>What helps against all of them.</summary>
    public const string Remedy = "make room there, or make it writable";

    private readonly HashSet<(Type, int)> _told = [];

    /// <summary>Something could not be written.</summary>
    /// <param name="exception">Why.</param>
    /// <param name="what">What, where, and what follows from it; the remedy is added.</param>
    public void Failed(Exception exception, string what)
    {
        if (_told.Add((exception.GetType(), exception.HResult)))
            run.Report(new RunWarning($"{what}; {Remedy}"));
    }

    /// <summary>A line was appended to a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="failure">Why its lines wait in memory; null if none does.</param>
    public void Tell(string path, Exception? failure)
    {
        if (failure is null)
            Succeeded();
        else
            Failed(failure, $"{path}: cannot be written ({Reason(failure)}); its lines wait in memory, and training goes on");
    }

    /// <summary>Something was written.</summary>
    public void Succeeded() => _told.Clear();

    /// <summary>The reason without the path, which the messages name themselves.</summary>
    public static string Reason(Exception exception)
    {
        var message = exception.Message.ReplaceLineEndings(" ");
        var path = message.IndexOf(" : '", StringComparison.Ordinal);
        return (path < 0 ? message : message[..path]).TrimEnd('.');
    }
}
