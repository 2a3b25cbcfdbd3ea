using System.Runtime.InteropServices;
using Distributed.Collectives;
using Distributed.Data;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Writes the permission to do a piece of work, with each worker's share of the samples.</summary>
internal sealed class GrantWriter
{
    private readonly Dataset _dataset;
    private readonly BatchPlan _batches;
    private readonly Batch _test;

    /// <summary>Prepares to write the grants of a run.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="dataset">Its data.</param>
    public GrantWriter(RunConfiguration configuration, Dataset dataset)
    {
        _dataset = dataset;
        _batches = configuration.Batches(dataset.Train.Count);
        _test = Batch.All(dataset.Test.Count, configuration.Microbatch);
    }

    /// <summary>The epoch of a step.</summary>
    public long Epoch(long step) => _batches.Epoch(step);

    /// <summary>What a piece of work is done on.</summary>
    public Batch BatchOf(PlannedWork work) => work.Kind == WorkKind.Train ? _batches.Of(work.Step) : _test;

    /// <summary>The messages that grant a piece of work to one worker.</summary>
    /// <param name="work">The work.</param>
    /// <param name="workers">The number of workers in the view.</param>
    /// <param name="rank">The worker.</param>
    /// <param name="holdsDataset">Whether it needs indices alone.</param>
    public IEnumerable<CoordinatorMessage> Write(PlannedWork work, int workers, int rank, bool holdsDataset)
    {
        var batch = BatchOf(work);
        var (start, end) = Partition.Microbatches(batch.MicrobatchCount, Partition.EqualShares(workers), rank);
        var indices = batch.Indices[batch.Rows(start, end)];
        var grant = new Grant
        {
            Work = work.Kind == WorkKind.Train ? Work.Train : Work.Evaluate,
            Microbatches = (uint)batch.MicrobatchCount,
            Samples = (uint)batch.Indices.Length,
        };
        if (holdsDataset)
            grant.Indices = ByteString.CopyFrom(MemoryMarshal.AsBytes(indices.Span));
        else
            grant.ShardSamples = (uint)indices.Length;
        yield return new CoordinatorMessage { Step = (ulong)work.Step, Grant = grant };
        if (holdsDataset)
            yield break;
        foreach (var shard in Shards(work.Kind == WorkKind.Train ? _dataset.Train : _dataset.Test, indices))
            yield return new CoordinatorMessage { Step = (ulong)work.Step, Shard = shard };
    }

    private static IEnumerable<Shard> Shards(SampleSet samples, ReadOnlyMemory<int> indices)
    {
        var most = Math.Max(1, WireLimits.ShardBytes / samples.BytesPerSample);
        for (var start = 0; start < indices.Length; start += most)
            yield return Shard(samples, indices.Slice(start, Math.Min(most, indices.Length - start)).Span);
    }

    private static Shard Shard(SampleSet samples, ReadOnlySpan<int> indices)
    {
        var stored = new byte[indices.Length * samples.BytesPerSample];
        var labels = new int[indices.Length];
        for (var i = 0; i < indices.Length; i++)
        {
            samples.CopyRaw(indices[i], stored.AsSpan(i * samples.BytesPerSample, samples.BytesPerSample));
            labels[i] = samples.Labels[indices[i]];
        }

        return new Shard { Samples = UnsafeByteOperations.UnsafeWrap(stored), Labels = ByteString.CopyFrom(MemoryMarshal.AsBytes(labels.AsSpan())) };
    }
}
