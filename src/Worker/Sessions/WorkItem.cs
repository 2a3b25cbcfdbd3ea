using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Sessions;

/// <summary>A command from the coordinator; commands are executed in the order in which they arrive.</summary>
internal abstract record WorkItem;

/// <summary>Become a member of a view.</summary>
internal sealed record EnterView(ViewGeneration Generation, View View) : WorkItem;

/// <summary>Train a step, or evaluate after it.</summary>
/// <param name="Step">The step.</param>
/// <param name="Work">Which of the two.</param>
/// <param name="Batch">This worker's part of the batch.</param>
internal sealed record Compute(long Step, Work Work, MemberBatch Batch) : WorkItem;

/// <summary>Send the state after a step to the coordinator.</summary>
internal sealed record SendSnapshot(long Step) : WorkItem;

/// <summary>Stop.</summary>
/// <param name="Complete">Whether training has ended in order.</param>
/// <param name="Interrupted">Whether it was interrupted and may go on later.</param>
/// <param name="Reason">Why, if it has failed.</param>
internal sealed record Stop(bool Complete, bool Interrupted, string Reason) : WorkItem;
