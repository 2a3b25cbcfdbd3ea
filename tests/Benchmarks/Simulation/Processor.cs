namespace Distributed.Benchmarks.Simulation;

/// <summary>Does work in the order in which it is asked, one piece after the other.</summary>
internal sealed class Processor
{
    /// <summary>When all that has been asked is done.</summary>
    public double Free { get; private set; }

    /// <summary>The work that has been asked, in seconds.</summary>
    public double Work { get; private set; }

    /// <summary>Asks for work.</summary>
    /// <param name="now">It does not begin earlier.</param>
    /// <param name="seconds">How long it takes.</param>
    /// <returns>When it is done.</returns>
    public double Do(double now, double seconds)
    {
        Work += seconds;
        return Free = Math.Max(now, Free) + seconds;
    }
}
