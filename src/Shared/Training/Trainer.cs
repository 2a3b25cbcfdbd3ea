using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// Trains a model in this process: the entry point for programs. The weights depend on options, data and seed alone, and are those that
/// <c>coordinator train</c> ends with, however many workers it has.
/// </summary>
/// <param name="dataset">What to train on.</param>
/// <param name="options">How; its <see cref="TrainingOptions.Data"/> is not read.</param>
public sealed class Trainer(Dataset dataset, TrainingOptions options)
{
    /// <summary>Threads that compute; they change no bit.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Trains to the last step.</summary>
    /// <param name="progress">Reports every step; or null.</param>
    /// <param name="cancellation">Abandons the training between two steps.</param>
    /// <exception cref="InputException">An option is bad, or data and model do not go together; every bad property is named.</exception>
    /// <exception cref="RunFailedException">The loss became infinite or NaN.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public TrainingResult Train(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1);
        options.ThrowIfInvalid();
        var prepared = RunPreparation.Of(options, dataset);
        var configuration = prepared.Configuration;
        var settings = prepared.Settings;
        using var trainer = new LocalTrainer(settings, dataset, configuration.Batches(dataset.Train.Count), Threads);
        trainer.State.Restore(prepared.InitialState());
        try
        {
            var score = Train(trainer, configuration, settings.Objective, progress, cancellation);
            var weights = trainer.State.Weights.Memory;
            score = score with { Metrics = [.. score.Metrics, .. prepared.FinalMetrics(weights)] };
            return new TrainingResult(prepared.Trained(weights), configuration.Steps, score);
        }
        catch (NonFiniteLossException exception)
        {
            throw new RunFailedException(exception.Message, exception);
        }
    }

    private TestScore Train(
        LocalTrainer trainer,
        RunConfiguration configuration,
        Objective objective,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation
    )
    {
        var batches = configuration.Batches(dataset.Train.Count);
        TestScore? score = null;
        while (trainer.State.Step < configuration.Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            var loss = trainer.Step().MeanLoss;
            var step = trainer.State.Step;
            var isEvaluated = step % configuration.EvalEvery == 0 || step == configuration.Steps;
            score = isEvaluated ? TestScore.Of(objective, trainer.Evaluate()) : null;
            progress?.Report(new TrainingProgress(step, configuration.Steps, batches.Epoch(step), loss, score));
        }

        return score!; // the last step is evaluated
    }
}
