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
/// <param name="samples">The set.</param>
/// <param name="indices">Which of them, in order.</param>
internal sealed class IndexedSamples(SampleSet samples, ReadOnlyMemory<int> indices) : ISampleSource
{
    /// <inheritdoc />
    public int Count => indices.Length;

    /// <inheritdoc />
    public ReadOnlySpan<int> Indices => indices.Span;

    /// <inheritdoc />
    public void Decode(int first, int count, Span<float> inputs, Span<int> targets)
    {
        var chosen = indices.Span.Slice(first, count);
        samples.Decode(chosen, inputs);
        samples.CopyTargets(chosen, targets);
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
