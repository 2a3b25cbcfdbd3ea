namespace Distributed.Data;

/// <summary>
/// Has blocks of samples read before their steps: a block is shuffled as a whole, so that its first batch takes samples from all over it, and reading
/// it from end to end is what a disk does best. One thread at a time may use it.
/// </summary>
internal sealed class BlocksAhead
{
    /// <summary>The largest blocks of which two are kept in memory; of larger ones, rows are read.</summary>
    public const long MostBytes = 64 << 20;

    private readonly BatchPlan _batches;
    private readonly SampleSet _samples;
    private HashSet<int> _near = [];
    private HashSet<int> _before = [];

    private BlocksAhead(BatchPlan batches, SampleSet samples) => (_batches, _samples) = (batches, samples);

    /// <summary>For a run's batches; null where the samples are in memory, or are not shuffled in blocks of a size to read at once.</summary>
    /// <param name="batches">What each step trains on.</param>
    /// <param name="samples">The training set.</param>
    public static BlocksAhead? Of(BatchPlan batches, SampleSet samples) =>
        samples.IsReadOnDemand && batches.Block < samples.Count && (long)batches.Block * samples.BytesPerSample <= MostBytes
            ? new BlocksAhead(batches, samples)
            : null;

    /// <summary>A step is about to be trained: begins to read its blocks and the next, but for those that the step before has asked for.</summary>
    /// <param name="step">The step, from 1.</param>
    public void Reach(long step)
    {
        (_near, _before) = (_before, _near);
        _near.Clear();
        _batches.AddBlocksNear(step, _near);
        foreach (var block in _near)
        {
            if (!_before.Contains(block))
                _samples.ReadAhead(block * _batches.Block, Math.Min(_batches.Block, _samples.Count - (block * _batches.Block)));
        }
    }
}
