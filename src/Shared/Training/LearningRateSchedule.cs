namespace Distributed.Training;

/// <summary>The learning rate of each step: a pure function of the step's number and the number of steps in the run.</summary>
/// <param name="options">The warm-up and the shape of the curve.</param>
/// <param name="fullRate">The highest rate.</param>
internal sealed class LearningRateSchedule(ScheduleOptions options, double fullRate)
{
    /// <summary>The rate of a step: the curve's value, times step / warm-up steps while the warm-up lasts.</summary>
    /// <param name="step">1 to <paramref name="totalSteps"/>.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is outside of the run.</exception>
    public float At(long step, long totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(step, totalSteps);
        var warmup = step < options.WarmupSteps ? (double)step / options.WarmupSteps : 1;
        return (float)(fullRate * warmup * options.Curve(step, totalSteps));
    }
}
