using System.Runtime.InteropServices;
using Distributed.Data;
using Distributed.Kernels.Embeddings;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Sessions;

/// <summary>Turns grants and the shards that follow them into work.</summary>
/// <param name="decoder">Turns stored samples into numbers.</param>
/// <param name="targetWidth">32-bit words in the target of a sample.</param>
/// <param name="dataset">The run's dataset, or null if this worker does not hold it.</param>
/// <param name="tables">The model's tables, where a step updates only the rows that it touches; or null.</param>
/// <param name="ahead">Reads samples of the dataset before their steps; or null.</param>
internal sealed class GrantReader(
    SampleDecoder decoder,
    int targetWidth,
    Dataset? dataset,
    EmbeddingShape? tables = null,
    SamplesAhead? ahead = null
)
{
    private readonly Lazy<TouchedRows?> _all = new(() => tables is null ? null : TouchedRows.All(tables));
    private Grant? _open;
    private ViewGeneration _generation; // of the open grant
    private byte[] _samples = [];
    private int[] _targets = [];
    private int[] _indices = []; // alone, where the dataset is held
    private int _filled;

    /// <summary>Forgets a grant whose samples are still to come: its view is over.</summary>
    public void Reset() => _open = null;

    /// <summary>Takes a grant.</summary>
    /// <param name="generation">The view that it belongs to.</param>
    /// <param name="grant">The grant.</param>
    /// <returns>The work, or null if its samples are still to come.</returns>
    /// <exception cref="InvalidDataException">It is invalid, or out of order.</exception>
    public Compute? Take(ViewGeneration generation, Grant grant)
    {
        var step = checked((long)grant.Step);
        if (_open is not null)
            throw new InvalidDataException($"the grant of step {step} came before all samples of the one before");
        _generation = generation;
        if (grant.ShardSamples == 0)
            return Indexed(grant);
        if (grant.ShardSamples > grant.Samples)
            throw new InvalidDataException($"step {step}: {grant.ShardSamples} samples of a batch of {grant.Samples}");
        var bytes = (long)grant.ShardSamples * decoder.BytesPerSample;
        var targets = (long)grant.ShardSamples * targetWidth;
        if (bytes > Array.MaxLength || targets > Array.MaxLength)
            throw TooLarge(grant);
        _open = grant;
        _samples = dataset is null ? new byte[bytes] : [];
        _targets = dataset is null ? new int[targets] : [];
        _indices = new int[grant.ShardSamples];
        _filled = 0;
        return null;
    }

    /// <summary>Takes a shard.</summary>
    /// <returns>The work, if this was the last of its samples.</returns>
    /// <exception cref="InvalidDataException">It does not fit the grant.</exception>
    public Compute? Take(Shard shard)
    {
        var count = shard.Indices.Length / sizeof(int);
        if (
            _open is not { } open
            || count > (int)open.ShardSamples - _filled
            || shard.Indices.Length != count * sizeof(int)
            || shard.Samples.Length != (dataset is null ? (long)count * decoder.BytesPerSample : 0)
            || shard.Targets.Length != (dataset is null ? (long)count * targetWidth * sizeof(int) : 0)
        )
        {
            throw new InvalidDataException($"a shard of {count} samples in {shard.Samples.Length} bytes does not fit its grant");
        }

        MemoryMarshal.Cast<byte, int>(shard.Indices.Span).CopyTo(_indices.AsSpan(_filled));
        if (dataset is null)
        {
            shard.Samples.Span.CopyTo(_samples.AsSpan(_filled * decoder.BytesPerSample));
            MemoryMarshal.Cast<byte, int>(shard.Targets.Span).CopyTo(_targets.AsSpan(_filled * targetWidth));
        }

        _filled += count;
        if (_filled < (int)open.ShardSamples)
            return null;
        _open = null;
        return Work(open, dataset is null ? new StoredSamples(decoder, _samples, _targets, _indices) : Held(open, _indices));
    }

    private Compute Work(Grant grant, ISampleSource samples) =>
        (grant.Microbatches | grant.Samples) <= int.MaxValue
            ? new(
                _generation,
                checked((long)grant.Step),
                grant.Work,
                new MemberBatch((int)grant.Microbatches, (int)grant.Samples, samples, TouchedBy(grant))
            )
            : throw TooLarge(grant);

    private TouchedRows? TouchedBy(Grant grant)
    {
        if (tables is null || grant.Work != Protocol.Work.Train)
            return null;
        if (grant.TouchedRows.IsEmpty)
            return _all.Value;
        try
        {
            return new TouchedRows(tables, MemoryMarshal.Cast<byte, int>(grant.TouchedRows.Span).ToArray());
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"step {grant.Step}: {exception.Message}", exception);
        }
    }

    private static InvalidDataException TooLarge(Grant grant) =>
        new(
            $"step {grant.Step}: a grant of {grant.ShardSamples} samples of {grant.Samples} in {grant.Microbatches} microbatches is larger than this worker can hold"
        );

    private Compute Indexed(Grant grant)
    {
        var indices = MemoryMarshal.Cast<byte, int>(grant.Indices.Span).ToArray();
        if (dataset is null && indices.Length > 0)
            throw new InvalidDataException("indices came, but this worker does not hold the dataset");
        return Work(grant, Held(grant, indices));
    }

    private IndexedSamples Held(Grant grant, int[] indices)
    {
        if (grant.Work == Protocol.Work.Train && grant.Step > 0)
            ahead?.Reach((long)grant.Step, indices);
        return new IndexedSamples(SetOf(grant) ?? SampleSet.Empty(decoder), indices);
    }

    private SampleSet? SetOf(Grant grant)
    {
        var part = Compute.PartOf(grant.Work);
        return part == DataPart.Holdout && dataset is { Holdout: null }
            ? throw new InvalidDataException($"step {grant.Step}: the held-out part is to be evaluated, and the data has none")
            : dataset?.Part(part);
    }
}
