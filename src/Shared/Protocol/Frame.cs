using System.Buffers;
using System.Runtime.InteropServices;

namespace Distributed.Protocol;

/// <summary>
/// A tensor frame of a call. One to be sent refers to the sender's own vector, which must not change until the write has completed; one
/// that was received holds pooled memory until it is disposed.
/// </summary>
internal sealed class Frame : IDisposable
{
    private readonly ReadOnlyMemory<float> _owned;
    private readonly int _count;
    private float[]? _rented;

    /// <summary>A frame to send.</summary>
    /// <param name="header">Where the values belong.</param>
    /// <param name="values">The sender's values, referred to and not copied.</param>
    public Frame(FrameHeader header, ReadOnlyMemory<float> values = default)
    {
        Header = header;
        _owned = values;
        _count = values.Length;
    }

    private Frame(FrameHeader header, float[] rented, int count)
    {
        Header = header;
        _rented = rented;
        _count = count;
    }

    /// <summary>Where the values belong.</summary>
    public FrameHeader Header { get; }

    /// <summary>The values.</summary>
    /// <exception cref="ObjectDisposedException">A received frame that was given back.</exception>
    public ReadOnlySpan<float> Values
    {
        get
        {
            if (!_owned.IsEmpty || _count == 0)
                return _owned.Span;
            ObjectDisposedException.ThrowIf(_rented is null, this);
            return _rented.AsSpan(0, _count);
        }
    }

    /// <summary>Gives a received frame's memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
            ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>A received frame: the bytes are copied into pooled memory.</summary>
    /// <param name="header">Where the values belong.</param>
    /// <param name="bytes">Little-endian single-precision numbers; a multiple of four bytes.</param>
    internal static Frame Receive(FrameHeader header, in ReadOnlySequence<byte> bytes)
    {
        var count = checked((int)bytes.Length) / sizeof(float);
        if (count == 0)
            return new Frame(header);
        var values = ArrayPool<float>.Shared.Rent(count);
        bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        return new Frame(header, values, count);
    }
}
