using Distributed.Data;

namespace Distributed.Training;

/// <summary>The samples of one member's range of a batch, in the order of the batch.</summary>
internal interface ISampleSource
{
    /// <summary>The number of samples.</summary>
    int Count { get; }

    /// <summary>Their numbers in the dataset.</summary>
    ReadOnlySpan<int> Indices { get; }

    /// <summary>Decodes consecutive samples. Several threads may ask at the same time, also for none.</summary>
    /// <param name="first">The first one, counted from the start of the range.</param>
    /// <param name="count">How many.</param>
    /// <param name="inputs">[count, input length]: overwritten.</param>
    /// <param name="targets">[count, target width], integers or the bits of floats: overwritten.</param>
    void Decode(int first, int count, Span<float> inputs, Span<int> targets);
}

/// <summary>Samples of a set that this process holds, or reads from a disk as they are needed.</summary>
internal sealed class IndexedSamples : ISampleSource
{
    /// <summary>Bytes that are read before they are needed.</summary>
    private const int BytesAhead = 16 << 20;

    private readonly SampleSet _samples;
    private readonly ReadOnlyMemory<int> _indices;
    private readonly int _ahead; // samples

    /// <summary>Takes samples of a set, and begins to read the first of them.</summary>
    /// <param name="samples">The set.</param>
    /// <param name="indices">Which of them, in order.</param>
    public IndexedSamples(SampleSet samples, ReadOnlyMemory<int> indices)
    {
        (_samples, _indices) = (samples, indices);
        _ahead = Math.Max(1, BytesAhead / samples.BytesPerSample);
        ReadAhead(0, _ahead);
    }

    /// <inheritdoc />
    public int Count => _indices.Length;

    /// <inheritdoc />
    public ReadOnlySpan<int> Indices => _indices.Span;

    /// <inheritdoc />
    public void Decode(int first, int count, Span<float> inputs, Span<int> targets)
    {
        ReadAhead((long)first + _ahead, count);
        var chosen = _indices.Span.Slice(first, count);
        _samples.Decode(chosen, inputs);
        _samples.CopyTargets(chosen, targets);
    }

    private void ReadAhead(long first, int count)
    {
        if (first < _indices.Length)
            _samples.ReadAhead(_indices.Slice((int)first, (int)Math.Min(count, _indices.Length - first)));
    }
}

/// <summary>Samples that were sent to this process in their stored form.</summary>
/// <param name="decoder">Turns them into numbers.</param>
/// <param name="stored">[total, bytes per sample].</param>
/// <param name="storedTargets">[total, target width].</param>
/// <param name="indices">[total]: their numbers in the dataset.</param>
internal sealed class StoredSamples(
    SampleDecoder decoder,
    ReadOnlyMemory<byte> stored,
    ReadOnlyMemory<int> storedTargets,
    ReadOnlyMemory<int> indices
) : ISampleSource
{
    private readonly int _targetWidth = indices.Length == 0 ? 0 : storedTargets.Length / indices.Length;

    /// <inheritdoc />
    public int Count => indices.Length;

    /// <inheritdoc />
    public ReadOnlySpan<int> Indices => indices.Span;

    /// <inheritdoc />
    public void Decode(int first, int count, Span<float> inputs, Span<int> targets)
    {
        decoder.Decode(stored.Span.Slice(first * decoder.BytesPerSample, count * decoder.BytesPerSample), inputs);
        storedTargets.Span.Slice(first * _targetWidth, count * _targetWidth).CopyTo(targets);
    }
}
