using System.Globalization;

namespace Distributed.Training;

/// <summary>
/// Which evaluation was the best so far by its held-out loss, and whether training has stopped to improve since. Immutable: an evaluation
/// makes another one, and those before it stay known.
/// </summary>
internal sealed class EarlyStopping
{
    private readonly int _patience;
    private readonly EarlyStopping? _before;
    private readonly long _step;
    private readonly int _sinceBest;

    /// <summary>Begins without an evaluation.</summary>
    /// <param name="patience">How many evaluations in a row may bring no improvement before training stops, at least 1.</param>
    public EarlyStopping(int patience)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(patience, 1);
        _patience = patience;
        BestLoss = double.PositiveInfinity;
    }

    private EarlyStopping(EarlyStopping before, long step, double loss)
    {
        (_patience, _before, _step) = (before._patience, before, step);
        var isBetter = double.IsFinite(loss) && loss < before.BestLoss;
        (BestStep, BestLoss) = isBetter ? (step, loss) : (before.BestStep, before.BestLoss);
        _sinceBest = isBetter ? 0 : before._sinceBest + 1;
    }

    /// <summary>The step of the lowest held-out loss, of two the earlier; null before the first that is finite.</summary>
    public long? BestStep { get; }

    /// <summary>The held-out loss of that evaluation.</summary>
    public double BestLoss { get; }

    /// <summary>Whether as many evaluations in a row as there is patience for have brought no improvement.</summary>
    public bool HasStopped => _sinceBest >= _patience;

    /// <summary>The step of the last evaluation; 0 before the first.</summary>
    public long LastStep => _step;

    /// <summary>Why training has stopped, for people; null if it has not.</summary>
    public string? Reason =>
        !HasStopped ? null
        : BestStep is { } best
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the held-out loss has not improved in {_sinceBest} evaluations since step {best}"
            )
        : string.Create(CultureInfo.InvariantCulture, $"none of {_sinceBest} evaluations has a finite held-out loss");

    /// <summary>Takes the next evaluation.</summary>
    /// <param name="step">The step after which it is, later than those before.</param>
    /// <param name="loss">The mean held-out loss; if it is not finite, it is no improvement.</param>
    public EarlyStopping After(long step, double loss)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(step, _before is null ? -1 : _step, nameof(step));
        return new EarlyStopping(this, step, loss);
    }

    /// <summary>What was known with the evaluations up to a step.</summary>
    /// <param name="step">Later ones do not count.</param>
    public EarlyStopping UpTo(long step)
    {
        var known = this;
        while (known._before is { } before && known._step > step)
            known = before;
        return known;
    }
}
