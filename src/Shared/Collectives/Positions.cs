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

    /// <summary>The step whose state belongs to a position.</summary>
    public static long StepAt(long position) => position / 2;
}
