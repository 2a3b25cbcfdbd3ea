using Distributed.Data;

namespace Distributed.Training;

/// <summary>The samples of one member's range of a batch, in the order of the batch.</summary>
public interface ISampleSource
{
    /// <summary>The number of samples.</summary>
    int Count { get; }

    /// <summary>Decodes consecutive samples. Several threads may ask at the same time, also for none.</summary>
    /// <param name="first">The first one, counted from the start of the range.</param>
    /// <param name="inputs">[n, input length]: overwritten.</param>
    /// <param name="labels">[n]: overwritten.</param>
    void Decode(int first, Span<float> inputs, Span<int> labels);
}

/// <summary>Samples of a set that this process holds.</summary>
/// <param name="samples">The set.</param>
/// <param name="indices">Which of them, in order.</param>
public sealed class IndexedSamples(SampleSet samples, ReadOnlyMemory<int> indices) : ISampleSource
{
    /// <inheritdoc />
    public int Count => indices.Length;

    /// <inheritdoc />
    public void Decode(int first, Span<float> inputs, Span<int> labels)
    {
        var chosen = indices.Span.Slice(first, labels.Length);
        samples.Decode(chosen, inputs);
        for (var i = 0; i < chosen.Length; i++)
            labels[i] = samples.Labels[chosen[i]];
    }
}

/// <summary>Samples that were sent to this process in their stored form.</summary>
/// <param name="decoder">Turns them into numbers.</param>
/// <param name="stored">[n, bytes per sample].</param>
/// <param name="storedLabels">[n].</param>
public sealed class StoredSamples(SampleDecoder decoder, ReadOnlyMemory<byte> stored, ReadOnlyMemory<int> storedLabels) : ISampleSource
{
    /// <inheritdoc />
    public int Count => storedLabels.Length;

    /// <inheritdoc />
    public void Decode(int first, Span<float> inputs, Span<int> labels)
    {
        decoder.Decode(stored.Span.Slice(first * decoder.BytesPerSample, labels.Length * decoder.BytesPerSample), inputs);
        storedLabels.Span.Slice(first, labels.Length).CopyTo(labels);
    }
}
