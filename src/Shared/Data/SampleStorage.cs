namespace Distributed.Data;

/// <summary>Where the samples of a set lie. Immutable; safe for concurrent use.</summary>
internal abstract class SampleStorage
{
    /// <summary>[n x bytes of a sample], all stored samples, in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>[n, target width], what a model is to learn of each sample; valid as long as this lives.</summary>
    public abstract ReadOnlySpan<int> Targets { get; }

    /// <summary>
    /// Some of the stored bytes; valid as long as this lives. All of them if they are of one sample, else as many as lie side by side.
    /// </summary>
    /// <param name="offset">The first one, not negative.</param>
    /// <param name="length">How many; they end within <see cref="Length"/>.</param>
    /// <exception cref="IOException">They are not what was stored.</exception>
    public abstract ReadOnlySpan<byte> Stored(long offset, int length);

    /// <summary>Says that samples, which may lie anywhere, will be asked for soon, so that whoever reads them from a disk need not wait then.</summary>
    /// <param name="indices">The samples, in the order in which they will be asked for.</param>
    /// <param name="bytesPerSample">Bytes of a sample.</param>
    public virtual void ReadAhead(ReadOnlyMemory<int> indices, int bytesPerSample) { }

    /// <summary>Says that all of some stored bytes will be asked for soon.</summary>
    /// <param name="offset">The first one.</param>
    /// <param name="length">How many; they end within <see cref="Length"/>.</param>
    public virtual void ReadAhead(long offset, long length) { }

    /// <summary>Whether samples are read from a disk when they are asked for.</summary>
    public virtual bool IsReadOnDemand => false;
}

/// <summary>Samples in memory.</summary>
/// <param name="targets">[n, target width].</param>
/// <param name="features">[n x bytes of a sample].</param>
internal sealed class SamplesInMemory(int[] targets, ReadOnlyMemory<byte> features) : SampleStorage
{
    /// <inheritdoc />
    public override long Length => features.Length;

    /// <inheritdoc />
    public override ReadOnlySpan<int> Targets => targets;

    /// <inheritdoc />
    public override ReadOnlySpan<byte> Stored(long offset, int length) => features.Span.Slice((int)offset, length);
}
