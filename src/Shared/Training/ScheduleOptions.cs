using System.Globalization;

namespace Distributed.Training;

/// <summary>How the learning rate changes over a run. The defaults are here and nowhere else.</summary>
public sealed record ScheduleOptions
{
    /// <summary>The shape of the curve.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;

    /// <summary>Steps over which the rate rises in a straight line to its full value; 0 for none.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Whether the rate at a step depends on how long the run is, so that a resumed run cannot be given a later end.</summary>
    public bool DependsOnEnd => Kind != ScheduleKind.Constant;

    /// <summary>All that is wrong with the values: one line each that names the option, the value and what would be right.</summary>
    /// <param name="totalSteps">Steps of the whole run; null while that is not known.</param>
    public IEnumerable<string> Errors(long? totalSteps)
    {
        if (!Enum.IsDefined(Kind))
            yield return $"--schedule {Kind}: must be constant, step or cosine";
        if (WarmupSteps < 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"--warmup-steps {WarmupSteps}: must be at least 0");
        if (WarmupSteps > totalSteps)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"--warmup-steps {WarmupSteps}: must be at most {totalSteps}, the steps of the run"
            );
        }
    }
}
