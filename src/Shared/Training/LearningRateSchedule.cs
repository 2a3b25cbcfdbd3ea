using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>The learning rate of each step: a pure function of the step's number and the number of steps in the run.</summary>
/// <param name="options">The shape of the curve.</param>
/// <param name="fullRate">The highest rate.</param>
public sealed class LearningRateSchedule(ScheduleOptions options, double fullRate)
{
    private const int StepPhases = 3;
    private const double StepFactor = 0.1;

    /// <summary>The rate of a step: the curve's value, times step / warm-up steps while the warm-up lasts.</summary>
    /// <param name="step">1 to <paramref name="totalSteps"/>.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is outside of the run.</exception>
    public float At(long step, long totalSteps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(step, totalSteps);
        var warmup = step < options.WarmupSteps ? (double)step / options.WarmupSteps : 1;
        return (float)(fullRate * warmup * Curve(step, totalSteps));
    }

    private double Curve(long step, long totalSteps) =>
        options.Kind switch
        {
            ScheduleKind.Constant => 1,
            ScheduleKind.Step => StepCurve(step, totalSteps),
            ScheduleKind.Cosine => CosineCurve(step, totalSteps),
            _ => throw new InvalidOperationException($"unknown schedule {options.Kind}"),
        };

    /// <summary>1, 0.1 and 0.01 in the first, second and last third of the run.</summary>
    private static double StepCurve(long step, long totalSteps)
    {
        double factor = 1;
        for (var phase = (step - 1) * StepPhases / totalSteps; phase > 0; phase--)
            factor *= StepFactor;
        return factor;
    }

    /// <summary>
    /// (1 + cos(pi p)) / 2, where p is the part of the run after the warm-up that lies behind: from 1 to just above 0. Computed as
    /// cos(pi p / 2)^2, which has no cancellation near the end.
    /// </summary>
    private double CosineCurve(long step, long totalSteps)
    {
        if (step <= options.WarmupSteps)
            return 1;
        var progress = (double)(step - 1 - options.WarmupSteps) / (totalSteps - options.WarmupSteps);
        var root = ScalarMath.CosinePi(progress / 2);
        return root * root;
    }
}
