using Distributed.Data;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Sessions;

/// <summary>A command from the coordinator; commands are executed in the order in which they arrive.</summary>
/// <param name="Generation">The view that it belongs to.</param>
internal abstract record WorkItem(ViewGeneration Generation);

/// <summary>Become a member of a view.</summary>
internal sealed record EnterView(ViewGeneration Generation, View View) : WorkItem(Generation);

/// <summary>Train a step, or evaluate a part of the data after it.</summary>
/// <param name="Generation">The view.</param>
/// <param name="Step">The step.</param>
/// <param name="Work">Which of these.</param>
/// <param name="Batch">This worker's part of the batch.</param>
internal sealed record Compute(ViewGeneration Generation, long Step, Work Work, MemberBatch Batch) : WorkItem(Generation)
{
    /// <summary>The part of the data that it is done on.</summary>
    public DataPart Part => PartOf(Work);

    /// <summary>The part of the data that work is done on.</summary>
    public static DataPart PartOf(Work work) =>
        work switch
        {
            Work.Train => DataPart.Train,
            Work.EvaluateHoldout => DataPart.Holdout,
            _ => DataPart.Test,
        };
}

/// <summary>Say what the hash of the state after a step is.</summary>
internal sealed record CompareStates(ViewGeneration Generation, long Step) : WorkItem(Generation);

/// <summary>Send the state after a step to the coordinator.</summary>
internal sealed record SendSnapshot(ViewGeneration Generation, long Step) : WorkItem(Generation);

/// <summary>Leave the views up to a generation, which are over, and say what has been completed.</summary>
internal sealed record LeaveViews(ViewGeneration Generation) : WorkItem(Generation);

/// <summary>Stop.</summary>
/// <param name="Generation">The last view.</param>
/// <param name="Complete">Whether training has ended in order.</param>
/// <param name="Interrupted">Whether it was interrupted and may go on later.</param>
/// <param name="MayReturn">Whether the run goes on without this worker, which may join it again.</param>
/// <param name="Reason">Why, if it has failed.</param>
internal sealed record Stop(ViewGeneration Generation, bool Complete, bool Interrupted, bool MayReturn, string Reason)
    : WorkItem(Generation);
