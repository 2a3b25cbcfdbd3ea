using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>A membership view, as one of its members sees it.</summary>
/// <param name="Run">The run's identity.</param>
/// <param name="Generation">The view's generation.</param>
/// <param name="Rank">This member's rank.</param>
/// <param name="Members">The members' names in order of rank, for messages; a parameter server comes last.</param>
internal sealed record ViewIdentity(ulong Run, ViewGeneration Generation, int Rank, IReadOnlyList<string> Members);
