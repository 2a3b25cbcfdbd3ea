using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>Trains inside the coordinator process: <c>--workers 0</c>.</summary>
/// <param name="time">Measures the training.</param>
internal sealed class InProcessRun(TimeProvider time) : ITrainingRun
{
    /// <inheritdoc/>
    public Task<RunResult> RunAsync(RunRequest request, IRunObserver observer, CancellationToken interrupt) =>
        Task.Run(() => TrainAsync(request, observer, interrupt), CancellationToken.None);

    private async Task<RunResult> TrainAsync(RunRequest request, IRunObserver observer, CancellationToken interrupt)
    {
        request.Folder.ContinueFrom(request.Position);
        try
        {
            using var session = new InProcessSession(request, observer, time);
            return await session.RunAsync(interrupt);
        }
        catch (NonFiniteLossException exception)
        {
            throw new RunFailedException($"the coordinator, training by itself, failed: {exception.Message}", exception);
        }
    }
}
