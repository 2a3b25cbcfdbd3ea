using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>The view that an exchange belongs to, as one of its members sees it.</summary>
/// <param name="Run">The run's identity.</param>
/// <param name="Generation">The view's generation.</param>
/// <param name="Rank">This member's place among the workers, or their number for an owner that is no worker.</param>
/// <param name="Workers">The workers' names in order of rank, for messages.</param>
public sealed record ExchangeIdentity(ulong Run, ViewGeneration Generation, int Rank, IReadOnlyList<string> Workers)
{
    /// <summary>The header of a vector of this member.</summary>
    /// <param name="step">The step.</param>
    /// <param name="kind">What the values are.</param>
    /// <param name="part">The block's first microbatch, or this member's rank.</param>
    /// <param name="offset">Where the values begin in the flat vector.</param>
    public FrameHeader Header(long step, FrameKind kind, int part = 0, long offset = 0) => new(Run, Generation, step, kind, part, offset);

    /// <summary>Whether a frame belongs to this view; those of older ones are dropped.</summary>
    /// <param name="header">The frame's header.</param>
    public bool Owns(in FrameHeader header) => header.Run == Run && header.Generation == Generation;
}
