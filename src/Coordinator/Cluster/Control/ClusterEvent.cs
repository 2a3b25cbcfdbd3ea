using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Protocol;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>An event for the run's single control loop, which handles them one at a time.</summary>
internal abstract record ClusterEvent;

/// <summary>A worker has opened a session.</summary>
internal sealed record MemberJoined(MemberSession Session) : ClusterEvent;

/// <summary>A worker was not let in.</summary>
/// <param name="Message">Who, why, and the remedy.</param>
internal sealed record JoinRefused(string Message) : ClusterEvent;

/// <summary>A worker has sent a message.</summary>
internal sealed record MessageReceived(MemberSession Session, WorkerMessage Message) : ClusterEvent;

/// <summary>A worker's session has ended.</summary>
/// <param name="Session">The session.</param>
/// <param name="Cause">The likely cause.</param>
internal sealed record MemberGone(MemberSession Session, string Cause) : ClusterEvent;

/// <summary>A worker process that the coordinator started has ended.</summary>
/// <param name="LocalNumber">Its number among those, from 1.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Cause">How it ended, and the last line that it wrote.</param>
/// <param name="WasKilled">Whether a signal ended it, which says nothing about how the next one would do.</param>
internal sealed record LocalWorkerExited(int LocalNumber, int ProcessId, string Cause, bool WasKilled = false) : ClusterEvent;

/// <summary>The state after a step has arrived, with its hash, which must be the one that the members have agreed on.</summary>
internal sealed record SnapshotArrived(Checkpoint Checkpoint, ByteString Hash) : ClusterEvent;

/// <summary>The parameter server has completed a piece of work, and found a record or the hash of its weights.</summary>
internal sealed record ServerCompleted(PlannedWork Work, ByteString Found) : ClusterEvent;

/// <summary>The parameter server has left all views up to a generation.</summary>
/// <param name="Generation">The last of them.</param>
/// <param name="Position">What it has completed, see <see cref="PlannedWork.Position"/>.</param>
internal sealed record ServerStopped(ViewGeneration Generation, long Position) : ClusterEvent;

/// <summary>The parameter server has failed in a view.</summary>
internal sealed record ServerFailed(ViewGeneration Generation, Exception Exception) : ClusterEvent;

/// <summary>Time has passed.</summary>
/// <param name="At">
/// When, as a timestamp of the run's clock: the loop may handle it much later, with events that came after it still queued.
/// </param>
internal sealed record Tick(long At) : ClusterEvent;

/// <summary>The user wants the run to stop.</summary>
internal sealed record Interrupted : ClusterEvent;
