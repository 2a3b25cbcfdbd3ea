namespace Distributed.Data.Formats;

/// <summary>Samples of bytes where they lie in the content of files, at equal distances.</summary>
/// <param name="labels">[n], the class of each sample.</param>
/// <param name="contents">The content of the files, at least one.</param>
/// <param name="start">Where the first sample begins in each of them.</param>
/// <param name="stride">Bytes from one sample to the next.</param>
/// <param name="sampleBytes">Bytes of a sample.</param>
internal sealed class RecordSamples(ReadOnlyMemory<int> labels, IReadOnlyList<ByteContent> contents, int start, int stride, int sampleBytes)
    : SampleStorage
{
    /// <inheritdoc />
    public override long Length => (long)labels.Length * sampleBytes;

    /// <inheritdoc />
    public override ReadOnlySpan<int> Targets => labels.Span;

    /// <inheritdoc />
    public override ReadOnlySpan<byte> Stored(long offset, int length)
    {
        if (stride == sampleBytes && contents.Count == 1)
            return contents[0].Span(start + offset, length);
        var (sample, place) = Math.DivRem(offset, sampleBytes);
        var file = 0;
        for (; sample >= SamplesIn(file); file++)
            sample -= SamplesIn(file);
        return contents[file].Span(start + (sample * stride) + place, (int)Math.Min(length, sampleBytes - place));
    }

    // The last one may not be followed by a whole stride.
    private long SamplesIn(int file) => (contents[file].Length - start + stride - sampleBytes) / stride;
}
