namespace Distributed.Coordinator.Runs;

/// <summary>A way to train: inside this process, or with workers. All end in the same bits.</summary>
internal interface ITrainingRun
{
    /// <summary>
    /// Trains from the request's start to its last step; evaluates every <c>EvalEvery</c> steps and at the end; takes a snapshot every
    /// <c>CheckpointEvery</c> steps and at the end. A start at the last step only evaluates.
    /// </summary>
    /// <param name="request">What to train, and where it is kept.</param>
    /// <param name="observer">Receives every step and every snapshot, and has settled when this returns.</param>
    /// <param name="interrupt">
    /// When it fires, the run takes a snapshot after the last completed step and returns with <c>Interrupted</c>.
    /// </param>
    /// <exception cref="InputException">The options ask for what this machine or network cannot give.</exception>
    /// <exception cref="RunFailedException">The run cannot go on.</exception>
    Task<RunResult> RunAsync(RunRequest request, IRunObserver observer, CancellationToken interrupt);
}
