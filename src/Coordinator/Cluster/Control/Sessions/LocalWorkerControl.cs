using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>Decides what follows when a local worker's process ends: a successor, or none after too many early ends.</summary>
/// <param name="locals">The processes.</param>
/// <param name="cluster">How many there should be, and whether other workers may come.</param>
/// <param name="observer">Is told of places that are given up.</param>
internal sealed class LocalWorkerControl(ILocalWorkers locals, ClusterOptions cluster, IRunObserver observer)
{
    private readonly ReplacementPolicy _replacement = new();
    private int _abandoned; // places without a successor

    /// <summary>A worker, perhaps a local one, has become a member.</summary>
    public void Joined(MemberSession session) => _replacement.Joined(session.Join.LocalNumber);

    /// <summary>Ends the process of a worker, if it is a local one.</summary>
    public void Kill(MemberSession session)
    {
        if (session.Join.LocalNumber > 0)
            locals.Kill(session.Join.LocalNumber, session.Join.ProcessId);
    }

    /// <summary>Whether a process that ends before the first view shows that the run cannot begin.</summary>
    /// <param name="exited">The process.</param>
    /// <param name="wasReleased">Whether it was asked to leave.</param>
    public bool PreventsStart(LocalWorkerExited exited, bool wasReleased) =>
        !exited.WasKilled && !(wasReleased && cluster.Listen is not null);

    /// <summary>Starts a successor, unless too many have ended before they had joined.</summary>
    /// <param name="exited">The process that has ended.</param>
    /// <param name="hadJoined">Whether it had joined.</param>
    /// <param name="hasMembers">Whether there are members left.</param>
    /// <returns>False if nobody is left who could do the work, and nobody will come.</returns>
    public bool TryReplace(LocalWorkerExited exited, bool hadJoined, bool hasMembers)
    {
        if (_replacement.Ended(exited.LocalNumber, hadJoined) is { } delay)
        {
            locals.Replace(exited.LocalNumber, delay);
            return true;
        }

        _abandoned++;
        if (_abandoned == cluster.Workers && cluster.Listen is null && !hasMembers)
            return false;
        observer.Report(
            new RunWarning(
                $"local worker {exited.LocalNumber} ended {ReplacementPolicy.MostFailures} times before it had joined, and is not started again: {exited.Cause}"
            )
        );
        return true;
    }
}
