using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>Tells of workers that join or are not let in, and counts those that join a run that has begun.</summary>
/// <param name="members">The workers.</param>
/// <param name="progress">Knows whether the run has begun.</param>
/// <param name="observer">Is told.</param>
internal sealed class Arrivals(MemberRegistry members, RunProgress progress, IRunObserver observer)
{
    private readonly HashSet<string> _refused = []; // what has been told

    /// <summary>How many workers have joined after the first step.</summary>
    public int Count { get; private set; }

    /// <summary>A worker was not let in; told once, since a supervisor may start it again and again.</summary>
    /// <param name="message">Who, why, and the remedy.</param>
    public void Refused(string message)
    {
        if (_refused.Add(message))
            observer.Report(new RunWarning(message));
    }

    /// <summary>A worker is ready.</summary>
    public void Joined(MemberSession session)
    {
        Count += progress.HasStarted ? 1 : 0;
        observer.Report(new WorkerJoined(session.FullName, session.Address, members.ReadyCount, session.Join.ProcessId));
    }

    /// <summary>A worker that was ready has been turned away before it was a member.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="reason">Why.</param>
    public void TurnedAway(MemberSession session, string reason)
    {
        Count -= progress.HasStarted ? 1 : 0;
        observer.Report(new WorkerLeft(session.FullName, reason, members.ReadyCount));
    }
}
