namespace Distributed.Training;

/// <summary>How the learning rate changes over a run, after the warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>It stays.</summary>
    Constant = 0,

    /// <summary>It falls to a tenth after each third of the run.</summary>
    Step,

    /// <summary>It falls along half a cosine from the full rate to almost 0.</summary>
    Cosine,
}
