using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Training;

/// <summary>
/// Owns the training state and its spare. A step reads the one and writes the other, and is complete when they change
/// places; until then nothing has happened.
/// </summary>
/// <remarks>
/// A step that is begun takes the gradient in pieces, and updates what each piece is for at once or, during a backward pass, while the
/// team's threads compute on; where the gradient is clipped, which needs all of it first, the pieces are put together.
/// </remarks>
internal sealed class WeightUpdater : IGradientConsumer, IParameterUpdate
{
    private readonly TrainingSettings _settings;
    private readonly Optimizer _optimizer;
    private readonly LearningRateSchedule _schedule;
    private readonly ComputeTeam? _team;
    private readonly AlignedBuffer? _whole; // the gradient, where it is clipped
    private readonly bool _holdsMoments;
    private int _samples;

    /// <summary>Reserves both states.</summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="team">The threads that update, or null for the caller alone; stays the caller's.</param>
    /// <param name="holdsMoments">False where another process updates and only the weights arrive here.</param>
    public WeightUpdater(TrainingSettings settings, ComputeTeam? team, bool holdsMoments = true)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _team = team;
        _optimizer = settings.Optimizer.CreateOptimizer();
        _schedule = new LearningRateSchedule(settings.Schedule, settings.Optimizer.LearningRate);
        _holdsMoments = holdsMoments;
        var moments = holdsMoments ? _optimizer.MomentNames.Count : 0;
        State = new TrainingState(settings.Network.Layout.Length, moments);
        Spare = new TrainingState(settings.Network.Layout.Length, moments);
        if (settings.Optimizer.ClipNorm is not null && holdsMoments)
            _whole = new AlignedBuffer(settings.Network.Layout.Length);
    }

    /// <summary>The state after the last completed step.</summary>
    public TrainingState State { get; private set; }

    /// <summary>What the step under way writes.</summary>
    public TrainingState Spare { get; private set; }

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    public float LearningRate(long step) => _schedule.At(step, _settings.TotalSteps);

    /// <summary>Begins a step, also where one was begun and given up.</summary>
    /// <param name="samples">Samples of the global batch.</param>
    public void Begin(int samples) => _samples = samples;

    /// <inheritdoc />
    public void Take(int offset, ReadOnlySpan<float> values)
    {
        if (!_holdsMoments)
            values.CopyTo(Spare.Weights.Span[offset..]);
        else if (_whole is not null)
            values.CopyTo(_whole.Span[offset..]);
        else
            Update(offset, values, clipScale: 1);
    }

    bool IParameterUpdate.NeedsWholeGradient => _settings.Optimizer.ClipNorm is not null;

    void IParameterUpdate.Update(int offset, Span<float> values)
    {
        if (_settings.Optimizer.ClipNorm is not null)
            UpdateClipped(values);
        else
            Update(offset, values, clipScale: 1);
        Spare.Weights.Span.Slice(offset, values.Length).CopyTo(values);
    }

    void IParameterUpdate.Complete() => Swap();

    /// <summary>Completes the step, all of which has been taken: the states change places.</summary>
    public void Complete()
    {
        if (_whole is not null)
            UpdateClipped(_whole.Span);
        Swap();
    }

    /// <summary>Takes over a state that has been written to <see cref="Spare"/>; until then nothing has happened.</summary>
    /// <param name="step">Steps completed in it.</param>
    public void Restore(long step)
    {
        Spare.Step = step;
        (State, Spare) = (Spare, State);
    }

    /// <summary>Does a whole step: clips, updates into the spare state, moves the running statistics, and swaps.</summary>
    /// <param name="samples">Samples of the global batch.</param>
    /// <param name="gradientSum">The sum of their gradients over the whole tree.</param>
    public void Update(int samples, ReadOnlySpan<float> gradientSum)
    {
        Begin(samples);
        UpdateClipped(gradientSum);
        Swap();
    }

    private void Swap() => Restore(State.Step + 1);

    private void UpdateClipped(ReadOnlySpan<float> gradientSum) =>
        Update(
            0,
            gradientSum,
            GradientClipping.Scale(gradientSum, _settings.Network.Layout.TrainedRanges, _samples, _settings.Optimizer.ClipNorm)
        );

    private void Update(int offset, ReadOnlySpan<float> gradientSum, float clipScale)
    {
        var step = State.Step + 1;
        _optimizer.Update(new OptimizerStep(step, LearningRate(step), _samples, clipScale, _team), offset, gradientSum, State, Spare);
        if (RunningStatistics.AreIn(_settings.Network.Layout, offset, gradientSum.Length))
            _team?.CompleteDeferred(); // the optimizer writes to their places, too
        RunningStatistics.Update(_settings.Network.Layout, _samples, offset, gradientSum, State, Spare);
    }
}
