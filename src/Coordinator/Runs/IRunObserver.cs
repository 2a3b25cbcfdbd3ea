namespace Distributed.Coordinator.Runs;

/// <summary>Is told what happens in a run.</summary>
public interface IRunObserver
{
    /// <summary>
    /// Takes an event. Calls come one at a time, in the order of the steps; the call is quick and its exception ends the run.
    /// </summary>
    void Report(RunEvent runEvent);
}
