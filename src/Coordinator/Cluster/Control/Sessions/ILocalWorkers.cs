namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>The worker processes of this machine, as the run controls them.</summary>
internal interface ILocalWorkers
{
    /// <summary>Starts a process in the place of one that has ended.</summary>
    /// <param name="number">Its number among the local workers, from 1.</param>
    /// <param name="delay">How long to wait before.</param>
    void Replace(int number, TimeSpan delay);

    /// <summary>Ends a process at once; its exit is told as of any other.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="processId">The process: another one may have taken its place.</param>
    void Kill(int number, int processId);
}
