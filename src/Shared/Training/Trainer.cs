using Distributed.Data;

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
            return Train(trainer, prepared, progress, cancellation);
        }
        catch (NonFiniteLossException exception)
        {
            throw new RunFailedException(exception.Message, exception);
        }
    }

    private TrainingResult Train(
        LocalTrainer trainer,
        RunPreparation prepared,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation
    )
    {
        var configuration = prepared.Configuration;
        var batches = configuration.Batches(dataset.Train.Count);
        var test = configuration.CreateObjective(dataset);
        var holdout = configuration.HasHoldout ? configuration.CreateObjective(dataset, DataPart.Holdout) : null;
        var stopping = configuration.Options.Patience is { } patience ? new EarlyStopping(patience) : null;
        TrainingProgress? best = null;
        ReadOnlyMemory<float> weights = default;
        while (trainer.State.Step < configuration.Steps && stopping is not { HasStopped: true })
        {
            cancellation.ThrowIfCancellationRequested();
            var loss = trainer.Step().MeanLoss;
            var step = trainer.State.Step;
            var now = new TrainingProgress(step, configuration.Steps, batches.Epoch(step), loss, Test: null);
            if (configuration.IsEvaluated(step))
            {
                now = now with
                {
                    Holdout = holdout is null ? null : TestScore.Of(holdout, trainer.Evaluate(DataPart.Holdout)),
                    Test = TestScore.Of(test, trainer.Evaluate(DataPart.Test)),
                };
                stopping = stopping?.After(step, now.Holdout!.Loss);
                if ((stopping?.BestStep ?? step) == step)
                    (best, weights) = (now, stopping is null ? trainer.State.Weights.Memory : trainer.State.Weights.Span.ToArray());
            }

            progress?.Report(now);
        }

        return Result(prepared, best!, weights) with // the last step is evaluated
        {
            Steps = trainer.State.Step,
            StopReason = stopping?.Reason,
        };
    }

    private static TrainingResult Result(RunPreparation prepared, TrainingProgress best, ReadOnlyMemory<float> weights)
    {
        return new(prepared.Trained(weights), best.Step, Final(best.Test!, DataPart.Test))
        {
            BestStep = best.Step,
            Holdout = best.Holdout is { } holdout ? Final(holdout, DataPart.Holdout) : null,
        };

        TestScore Final(TestScore score, DataPart part) =>
            score with
            {
                Metrics = [.. score.Metrics, .. prepared.FinalMetrics(weights, part)],
            };
    }
}
