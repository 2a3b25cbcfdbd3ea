using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <summary>A message from the coordinator.</summary>
/// <param name="View">The view that it belongs to, if it ends with it.</param>
internal abstract record Order(SimulatedView? View);

internal sealed record EnterOrder(SimulatedView View) : Order(View);

internal sealed record ComputeOrder(SimulatedView View, long Position) : Order(View);

internal sealed record SaveOrder(SimulatedView View, long Step) : Order(View);

internal sealed record FreezeOrder(ViewGeneration Generation) : Order((SimulatedView?)null);

internal sealed record StopOrder() : Order((SimulatedView?)null);

internal sealed record ProbeOrder(int Peer) : Order((SimulatedView?)null);

/// <summary>A member has completed a position.</summary>
internal sealed record Reported(int Worker, ViewGeneration Generation, long Position) : MembershipEvent;

/// <summary>A state has arrived at the coordinator.</summary>
internal sealed record SnapshotSent(int Worker, long Step) : MembershipEvent;
