using System.Buffers;
using System.Runtime.InteropServices;

namespace Distributed.Protocol.Http2;

/// <summary>A vector as bytes, in a form that asynchronous methods can hold; made once and moved from vector to vector.</summary>
internal sealed unsafe class ByteView : MemoryManager<byte>
{
    private ReadOnlyMemory<float> _values;

    /// <summary>Looks at a vector.</summary>
    /// <param name="values">The vector; it is not written to.</param>
    /// <returns>Its bytes, until the next call.</returns>
    public Memory<byte> Of(ReadOnlyMemory<float> values)
    {
        _values = values;
        return Memory;
    }

    /// <inheritdoc />
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(MemoryMarshal.AsMemory(_values).Span);

    /// <inheritdoc />
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        // The handle of the whole vector begins at its first element; what is disposed is that handle's own.
        var whole = _values.Pin();
        return new MemoryHandle((byte*)whole.Pointer + elementIndex, default, new Pinned(whole));
    }

    /// <inheritdoc />
    public override void Unpin() { }

    /// <inheritdoc />
    protected override void Dispose(bool disposing) { }

    private sealed class Pinned(MemoryHandle handle) : IPinnable
    {
        private MemoryHandle _handle = handle;

        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException();

        public void Unpin() => _handle.Dispose();
    }
}
