using System.Runtime.InteropServices;
using Distributed.Collectives;
using Distributed.Data;
using Distributed.Kernels.Embeddings;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Writes the permission to do a piece of work, with each worker's share of the samples.</summary>
internal sealed class GrantWriter
{
    /// <summary>The most indices that a grant carries itself; more are sent in shards, so that every message stays small.</summary>
    public const int MostIndices = WireLimits.ShardBytes / sizeof(int);

    private readonly Dataset _dataset;
    private readonly BatchPlan _batches;
    private readonly Batch _test;
    private readonly StepRows? _rows;
    private readonly SamplesAhead? _ahead;
    private (long Step, TouchedRows Rows)? _touched; // of the step that was asked for last
    private readonly Batch _holdout; // empty if there is none

    /// <summary>Prepares to write the grants of a run.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="dataset">Its data.</param>
    /// <param name="tables">The model's tables, where a step updates only the rows that it touches; or null.</param>
    public GrantWriter(RunConfiguration configuration, Dataset dataset, EmbeddingShape? tables)
    {
        _rows = tables is null ? null : new StepRows(tables, dataset.Train);
        _dataset = dataset;
        _batches = configuration.Batches(dataset.Train.Count);
        _ahead = SamplesAhead.Of(_batches, dataset.Train);
        _test = Batch.All(dataset.Test.Count, configuration.Microbatch);
        if (dataset.Holdout is { } holdout)
            _holdout = Batch.All(holdout.Count, configuration.Microbatch);
    }

    /// <summary>The number of microbatches in every batch but the last of an epoch, which may have fewer.</summary>
    public int MostMicrobatches => _batches.MostMicrobatches;

    /// <summary>The epoch of a step.</summary>
    public long Epoch(long step) => _batches.Epoch(step);

    /// <summary>What a piece of work is done on.</summary>
    public Batch BatchOf(PlannedWork work) =>
        work.Part switch
        {
            DataPart.Train => _batches.Of(work.Step),
            DataPart.Holdout => _holdout,
            _ => _test,
        };

    /// <summary>The rows of tables that a step touches; null where it updates all weights, and for other work.</summary>
    public TouchedRows? TouchedBy(PlannedWork work)
    {
        if (_rows is null || work.Kind != WorkKind.Train)
            return null;
        if (_touched?.Step != work.Step)
        {
            var batch = _batches.Of(work.Step);
            _ahead?.Reach(work.Step, batch.Indices);
            _touched = (work.Step, _rows.Of(batch.Indices.Span));
        }

        return _touched.Value.Rows;
    }

    /// <summary>The order to compare states.</summary>
    /// <param name="step">The step after which.</param>
    public static Grant Comparison(long step) => new() { Work = Work.Compare, Step = (ulong)step };

    /// <summary>The permission for one worker to do a piece of work.</summary>
    /// <param name="work">A step or an evaluation.</param>
    /// <param name="shares">The shares of the view's workers.</param>
    /// <param name="rank">The worker.</param>
    /// <param name="holdsDataset">Whether it needs indices alone. <see cref="Shards(PlannedWork, IReadOnlyList{int}, int, bool)"/> follow.</param>
    public Grant Write(PlannedWork work, IReadOnlyList<int> shares, int rank, bool holdsDataset)
    {
        var batch = BatchOf(work);
        var indices = Indices(batch, shares, rank);
        var grant = new Grant
        {
            Work = work.Part switch
            {
                DataPart.Train => Work.Train,
                DataPart.Holdout => Work.EvaluateHoldout,
                _ => Work.Evaluate,
            },
            Microbatches = (uint)batch.MicrobatchCount,
            Samples = (uint)batch.Indices.Length,
            Step = (ulong)work.Step,
        };
        if (TouchedBy(work) is { AreAll: false } touched)
            grant.TouchedRows = ByteString.CopyFrom(MemoryMarshal.AsBytes(touched.Rows));
        if (holdsDataset && indices.Length <= MostIndices)
            grant.Indices = ByteString.CopyFrom(MemoryMarshal.AsBytes(indices.Span));
        else
            grant.ShardSamples = (uint)indices.Length;
        return grant;
    }

    /// <summary>What follows a grant: the samples, or for a worker that holds the dataset more indices than a grant carries.</summary>
    /// <param name="work">The work.</param>
    /// <param name="shares">The shares of the view's workers.</param>
    /// <param name="rank">The worker.</param>
    /// <param name="holdsDataset">Whether it needs indices alone.</param>
    public IEnumerable<Shard> Shards(PlannedWork work, IReadOnlyList<int> shares, int rank, bool holdsDataset)
    {
        var indices = Indices(BatchOf(work), shares, rank);
        if (holdsDataset)
            return indices.Length <= MostIndices ? [] : IndexShards(indices);
        if (work.Part == DataPart.Train)
            _ahead?.Reach(work.Step, indices);
        return Shards(_dataset.Part(work.Part), indices);
    }

    private static ReadOnlyMemory<int> Indices(Batch batch, IReadOnlyList<int> shares, int rank)
    {
        var (start, end) = Shares.RangeOf(batch.MicrobatchCount, shares, rank);
        return batch.Indices[batch.Rows(start, end)];
    }

    private static IEnumerable<Shard> Shards(SampleSet samples, ReadOnlyMemory<int> indices)
    {
        var most = Math.Max(1, WireLimits.ShardBytes / samples.BytesPerSample);
        for (var start = 0; start < indices.Length; start += most)
            yield return Shard(samples, indices.Slice(start, Math.Min(most, indices.Length - start)).Span);
    }

    private static IEnumerable<Shard> IndexShards(ReadOnlyMemory<int> indices)
    {
        for (var start = 0; start < indices.Length; start += MostIndices)
        {
            var piece = indices.Slice(start, Math.Min(MostIndices, indices.Length - start));
            yield return new Shard { Indices = ByteString.CopyFrom(MemoryMarshal.AsBytes(piece.Span)) };
        }
    }

    private static Shard Shard(SampleSet samples, ReadOnlySpan<int> indices)
    {
        var stored = new byte[indices.Length * samples.BytesPerSample];
        var targets = new int[indices.Length * samples.TargetWidth];
        samples.CopyTargets(indices, targets);
        for (var i = 0; i < indices.Length; i++)
            samples.CopyRaw(indices[i], stored.AsSpan(i * samples.BytesPerSample, samples.BytesPerSample));
        return new Shard
        {
            Samples = UnsafeByteOperations.UnsafeWrap(stored),
            Indices = ByteString.CopyFrom(MemoryMarshal.AsBytes(indices)),
            Targets = ByteString.CopyFrom(MemoryMarshal.AsBytes(targets.AsSpan())),
        };
    }
}
