namespace Distributed.Collectives;

/// <summary>
/// Places in the course of a run as numbers that rise: a step is trained before it is evaluated, and evaluated before the next one is
/// trained.
/// </summary>
internal static class Positions
{
    /// <summary>A step has been trained.</summary>
    public static long After(long step) => 2 * step;

    /// <summary>The evaluation after a step, if there is one, has been done as well.</summary>
    public static long AfterEvaluation(long step) => (2 * step) + 1;

    /// <summary>Where a run of some steps begins with the state after a step: at its end it is only evaluated.</summary>
    public static long Start(long step, long steps) => step < steps ? AfterEvaluation(step) : After(step);

    /// <summary>The step whose state belongs to a position.</summary>
    public static long StepAt(long position) => position / 2;
}
