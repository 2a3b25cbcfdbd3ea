namespace Distributed.Data;

/// <summary>The content of a file, decompressed: in memory, or read where it lies. Immutable; safe for concurrent use.</summary>
internal abstract class ByteContent
{
    /// <summary>Number of bytes, which may be more than a span can have.</summary>
    public abstract long Length { get; }

    /// <summary>Some bytes, valid as long as this lives.</summary>
    /// <param name="offset">The first one, not negative.</param>
    /// <param name="length">How many; they end within <see cref="Length"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not in the content.</exception>
    public abstract ReadOnlySpan<byte> Span(long offset, int length);

    /// <summary>Says that some bytes will be asked for soon: what is on a disk begins to be read.</summary>
    /// <param name="offset">The first one.</param>
    /// <param name="length">How many; there may be fewer.</param>
    public virtual void ReadSoon(long offset, long length) { }

    /// <summary>The bytes from an offset to the end, or as many of them as a span can have.</summary>
    /// <param name="offset">The first one, at most <see cref="Length"/>.</param>
    public ReadOnlySpan<byte> From(long offset) => Span(offset, (int)Math.Min(Length - offset, int.MaxValue));
}

/// <summary>Content in memory.</summary>
/// <param name="bytes">All of it.</param>
internal sealed class BytesInMemory(ReadOnlyMemory<byte> bytes) : ByteContent
{
    /// <inheritdoc />
    public override long Length => bytes.Length;

    /// <inheritdoc />
    public override ReadOnlySpan<byte> Span(long offset, int length) => bytes.Span.Slice(checked((int)offset), length);
}
