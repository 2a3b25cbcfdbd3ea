using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>Pages of a file that are mapped into this process.</summary>
internal sealed unsafe class MappedPages : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly long _bytes;

    /// <summary>Maps a part of a file; the handle is invalid if the system refuses.</summary>
    /// <param name="file">The file; it may be closed afterwards.</param>
    /// <param name="offset">A multiple of the page size.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="writable">Whether they may be written.</param>
    public MappedPages(SafeFileHandle file, long offset, long bytes, bool writable)
        : base(ownsHandle: true)
    {
        _bytes = bytes;
        SetHandle((nint)LinuxCalls.Map(file, offset, bytes, writable));
    }

    /// <summary>The first byte's address, valid until this is disposed.</summary>
    public byte* Address => (byte*)handle;

    /// <inheritdoc />
    protected override bool ReleaseHandle() => LinuxCalls.Unmap(Address, _bytes);
}

/// <summary>Values in mapped pages, in a form that fields and asynchronous methods can hold.</summary>
/// <param name="pages">Keeps the values mapped.</param>
/// <param name="values">The first one's address.</param>
/// <param name="length">How many there are.</param>
internal sealed unsafe class MappedValues(MappedPages pages, float* values, int length) : MemoryManager<float>
{
    /// <inheritdoc />
    public override Span<float> GetSpan()
    {
        ObjectDisposedException.ThrowIf(pages.IsClosed, this);
        return new Span<float>(values, length);
    }

    /// <inheritdoc />
    public override MemoryHandle Pin(int elementIndex = 0) => new(values + elementIndex, default, this);

    /// <inheritdoc />
    public override void Unpin() { }

    /// <inheritdoc />
    protected override void Dispose(bool disposing) { }
}
