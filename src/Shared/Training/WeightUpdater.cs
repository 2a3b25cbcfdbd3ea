using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Kernels.Embeddings;
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
    private readonly RowPlaces? _places; // where an update may leave rows of tables alone
    private AlignedBuffer _rows = new(0); // the gradient of the rows that the step touches
    private bool _tablesAreEqual; // in both states
    private bool _touchesRows;
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
        if (settings.TablesOfRows is { } tables)
            _places = new RowPlaces(tables);
    }

    /// <summary>The state after the last completed step.</summary>
    public TrainingState State { get; private set; }

    /// <summary>Finds the rows that the step under way touches, where it leaves the others alone; null where it updates all.</summary>
    public RowPlaces? Touched => _touchesRows ? _places : null;

    private TrainingState Spare { get; set; }

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    public float LearningRate(long step) => _schedule.At(step, _settings.TotalSteps);

    /// <summary>Begins a step, also where one was begun and given up.</summary>
    /// <param name="samples">Samples of the global batch.</param>
    /// <param name="touched">The rows of tables that it touches, where only these are updated; or null.</param>
    /// <exception cref="ArgumentException">The optimizer changes other rows, too.</exception>
    public void Begin(int samples, TouchedRows? touched = null)
    {
        _samples = samples;
        _touchesRows = touched is not null;
        if (touched is null)
        {
            _tablesAreEqual = false;
            return;
        }

        if (_places is null)
            throw new ArgumentException("all rows are updated", nameof(touched));
        _places.Set(touched);
        if (_rows.Length < touched.Length)
            _rows = new AlignedBuffer(Math.Max(touched.Length, _rows.Length / 4 * 5));
    }

    /// <summary>The state that is not in use, to be overwritten from outside; <see cref="Restore"/> takes it into use.</summary>
    public TrainingState OverwriteSpare()
    {
        _tablesAreEqual = false;
        return Spare;
    }

    /// <summary>Goes back to a state.</summary>
    public void GoBackTo(Checkpoint state)
    {
        _tablesAreEqual = false;
        State.Restore(state);
    }

    /// <inheritdoc />
    public void Take(int offset, ReadOnlySpan<float> values)
    {
        if (_touchesRows)
            values = TakeRows(ref offset, values);
        if (values.IsEmpty)
            return;
        if (!_holdsMoments)
            values.CopyTo(Spare.Weights.Span[offset..]);
        else if (_whole is not null)
            values.CopyTo(_whole.Span[offset..]);
        else
            Update(offset, values, clipScale: 1);
    }

    bool IParameterUpdate.NeedsWholeGradient => _settings.Optimizer.ClipNorm is not null || _touchesRows;

    void IParameterUpdate.Update(int offset, Span<float> values)
    {
        if (_touchesRows)
            values = UpdateRows(ref offset, values);
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
        if (_touchesRows)
            UpdateRows();
        else if (_whole is not null)
            UpdateClipped(_whole.Span);
        Swap();
    }

    /// <summary>Takes over a state that has been written to <see cref="Spare"/>; until then nothing has happened.</summary>
    /// <param name="step">Steps completed in it.</param>
    public void Restore(long step)
    {
        _tablesAreEqual = false;
        Exchange(step);
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

    private void Swap()
    {
        _tablesAreEqual = _touchesRows;
        Exchange(State.Step + 1);
    }

    private void Exchange(long step)
    {
        Spare.Step = step;
        (State, Spare) = (Spare, State);
    }

    // Keeps what is for rows, and returns the rest.
    private ReadOnlySpan<float> TakeRows(scoped ref int offset, ReadOnlySpan<float> values)
    {
        var (rows, end) = (_places!.Rows!, _places.Rows!.Shape.TablesLength);
        var taken = Math.Clamp(end - offset, 0, values.Length);
        var first = end - rows.Length; // what lies before has no meaning
        if (taken > 0 && offset + taken > first)
        {
            var skipped = Math.Max(0, first - offset);
            values[skipped..taken].CopyTo(_rows.Span[(offset + skipped - first)..]);
        }

        offset += taken;
        return values[taken..];
    }

    // The server's: the whole gradient comes in, and the updated rows go out in its place.
    private Span<float> UpdateRows(scoped ref int offset, Span<float> values)
    {
        var rows = _places!.Rows!;
        var part = values[(rows.Shape.TablesLength - rows.Length - offset)..][..rows.Length];
        part.CopyTo(_rows.Span);
        UpdateRows();
        RowKernels.Gather(rows, Spare.Weights.Span, part);
        values = values[(rows.Shape.TablesLength - offset)..];
        offset = rows.Shape.TablesLength;
        return values;
    }

    // These rows are written to both states, and all others are the same in both: nothing is ever behind but after a step that changed all of them.
    private void UpdateRows()
    {
        var rows = _places!.Rows!;
        CatchUp(State.Weights, Spare.Weights);
        foreach (var (from, to) in State.Moments.Zip(Spare.Moments))
            CatchUp(from, to);
        var values = _rows.Span[..rows.Length];
        if (!_holdsMoments)
        {
            RowKernels.Scatter(rows, values, State.Weights.Span);
            RowKernels.Scatter(rows, values, Spare.Weights.Span);
            return;
        }

        var step = State.Step + 1;
        _optimizer.UpdateRows(new OptimizerStep(step, LearningRate(step), _samples, ClipScale: 1, _team), rows, values, State, Spare);
    }

    private void CatchUp(AlignedBuffer from, AlignedBuffer to)
    {
        var rows = _places!.Rows!;
        if (!_tablesAreEqual && !rows.AreAll)
            from.Span[..rows.Shape.TablesLength].CopyTo(to.Span);
    }

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
