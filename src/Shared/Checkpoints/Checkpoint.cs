namespace Distributed.Checkpoints;

/// <summary>
/// All that a run needs to continue as if it had never stopped; everything else is a function of the configuration and the step.
/// </summary>
/// <param name="Step">Steps completed.</param>
/// <param name="Weights">The flat vector of parameters.</param>
/// <param name="Moments">
/// The optimizer's state, a flat vector as long as the weights for each of its names, in the optimizer's order.
/// </param>
internal sealed record Checkpoint(
    long Step,
    ReadOnlyMemory<float> Weights,
    IReadOnlyList<(string Name, ReadOnlyMemory<float> Values)> Moments
)
{
    /// <summary>
    /// Records of the last pieces of work before, as those who did it report them, where nobody else may have logged them; else empty.
    /// </summary>
    public ReadOnlyMemory<byte> Records { get; init; }

    /// <summary>How often the run had gone back, because states differed, when a worker left this one by itself.</summary>
    public uint Lineage { get; init; }

    /// <summary>The same state in memory of its own.</summary>
    public Checkpoint Copy() =>
        this with
        {
            Weights = Weights.ToArray(),
            Moments = [.. Moments.Select(moment => (moment.Name, (ReadOnlyMemory<float>)moment.Values.ToArray()))],
        };
}
