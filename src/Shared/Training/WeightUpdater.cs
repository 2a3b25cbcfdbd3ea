using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>
/// Owns the training state and its spare. A step reads the one and writes the other, and is complete when they change
/// places; until then nothing has happened.
/// </summary>
public sealed class WeightUpdater
{
    private readonly TrainingSettings _settings;
    private readonly Optimizer _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly ComputeTeam? _team;

    /// <summary>Reserves both states.</summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="team">The threads that update, or null for the caller alone; stays the caller's.</param>
    /// <param name="holdsMoments">False where another process updates and only the weights arrive here.</param>
    public WeightUpdater(TrainingSettings settings, ComputeTeam? team, bool holdsMoments = true)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _team = team;
        _optimizer = Optimizer.Create(settings.Optimizer);
        _schedule = new LearningRateSchedule(settings.Schedule, settings.Optimizer.ResolvedLearningRate);
        var moments = holdsMoments ? _optimizer.MomentNames.Count : 0;
        State = new TrainingState(settings.Network.Layout.Length, moments);
        Spare = new TrainingState(settings.Network.Layout.Length, moments);
    }

    /// <summary>The state after the last completed step.</summary>
    public TrainingState State { get; private set; }

    /// <summary>What the step under way writes.</summary>
    public TrainingState Spare { get; private set; }

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    public float LearningRate(long step) => _schedule.At(step, _settings.TotalSteps);

    /// <summary>Completes a step: clips, updates into the spare state, moves the running statistics, and swaps.</summary>
    /// <param name="samples">Samples of the global batch.</param>
    /// <param name="gradientSum">The sum of their gradients over the whole tree.</param>
    public void Update(int samples, ReadOnlySpan<float> gradientSum)
    {
        var step = State.Step + 1;
        var layout = _settings.Network.Layout;
        var scale = GradientClipping.Scale(gradientSum, layout.TrainedRanges, samples, _settings.Optimizer.ClipNorm);
        _optimizer.Update(step, LearningRate(step), samples, scale, gradientSum, State, Spare, _team);
        RunningStatistics.Update(layout, samples, gradientSum, State, Spare);
        Swap();
    }

    /// <summary>Completes a step whose weights another process has computed into the spare state.</summary>
    public void Adopt()
    {
        Spare.Step = State.Step + 1;
        Swap();
    }

    private void Swap() => (State, Spare) = (Spare, State);
}
