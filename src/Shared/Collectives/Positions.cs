namespace Distributed.Collectives;

/// <summary>
/// Places in the course of a run as numbers that rise: a step is trained before it is evaluated, on the held-out part first, and evaluated
/// before the next one is trained.
/// </summary>
internal static class Positions
{
    private const int OfStep = 3;

    /// <summary>A step has been trained.</summary>
    public static long After(long step) => OfStep * step;

    /// <summary>The held-out part, if there is one, has been evaluated after a step as well.</summary>
    public static long AfterHoldout(long step) => (OfStep * step) + 1;

    /// <summary>All that is evaluated after a step, if there is anything, has been.</summary>
    public static long AfterEvaluation(long step) => (OfStep * step) + 2;

    /// <summary>Where a run of some steps begins with the state after a step: at its end it is only evaluated.</summary>
    public static long Start(long step, long steps) => step < steps ? AfterEvaluation(step) : After(step);

    /// <summary>The step whose state belongs to a position.</summary>
    public static long StepAt(long position) => position / OfStep;
}
