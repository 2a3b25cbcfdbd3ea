namespace Distributed.Data;

/// <summary>
/// Has the samples of coming steps read from a disk before they are used. A block that is shuffled as a whole is read from end to end, which is what a
/// disk does best; where blocks are too large for that, or all samples are one, the rows of each step are read. One thread at a time may use it.
/// </summary>
internal sealed class SamplesAhead
{
    /// <summary>The largest blocks of which two are kept in memory; of larger ones, rows are read.</summary>
    public const long MostBytes = 64 << 20;

    private readonly BatchPlan _batches;
    private readonly SampleSet _samples;
    private readonly bool _areBlocks;
    private HashSet<int> _near = [];
    private HashSet<int> _before = [];

    private SamplesAhead(BatchPlan batches, SampleSet samples)
    {
        (_batches, _samples) = (batches, samples);
        _areBlocks = batches.Block < samples.Count && (long)batches.Block * samples.BytesPerSample <= MostBytes;
    }

    /// <summary>For a run's batches; null where the samples are in memory.</summary>
    /// <param name="batches">What each step trains on.</param>
    /// <param name="samples">The training set.</param>
    public static SamplesAhead? Of(BatchPlan batches, SampleSet samples) =>
        samples.IsReadOnDemand ? new SamplesAhead(batches, samples) : null;

    /// <summary>
    /// A step will be trained soon: begins to read its samples, or its blocks and the next, but for those that the step before has asked for.
    /// </summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="indices">Those of its samples that this process will use.</param>
    public void Reach(long step, ReadOnlyMemory<int> indices)
    {
        if (_areBlocks)
            ReachBlocks(step);
        else
            _samples.ReadAhead(indices);
    }

    private void ReachBlocks(long step)
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
