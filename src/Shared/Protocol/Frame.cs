using System.Buffers;
using System.Runtime.InteropServices;

namespace Distributed.Protocol;

/// <summary>
/// A tensor frame in memory. One to be sent refers to the sender's own vector, which must not change until the write has
/// completed; one that was received holds pooled memory until it is disposed, unless its values are where they belong already.
/// </summary>
public sealed class Frame : IDisposable
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

    /// <summary>Whether the values were received to where an <see cref="IFrameSink"/> wants them.</summary>
    public bool IsInPlace { get; private init; }

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

    /// <summary>The values of a frame to send, in a form that asynchronous methods can hold.</summary>
    internal ReadOnlyMemory<float> Owned => _owned;

    /// <summary>Where the values of a received frame are to be put.</summary>
    internal Memory<float> Destination => _rented is { } rented ? rented.AsMemory(0, _count) : MemoryMarshal.AsMemory(_owned);

    /// <summary>Gives a received frame's memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
            ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>A received frame: the bytes are copied to where they belong, or into pooled memory.</summary>
    /// <param name="header">Where the values belong.</param>
    /// <param name="bytes">Little-endian single-precision numbers; a multiple of four bytes.</param>
    /// <param name="sink">Knows where they belong; null if nobody does.</param>
    internal static Frame Receive(FrameHeader header, in ReadOnlySequence<byte> bytes, IFrameSink? sink)
    {
        var frame = Receive(header, checked((int)bytes.Length), sink);
        bytes.CopyTo(MemoryMarshal.AsBytes(frame.Destination.Span));
        return frame;
    }

    /// <summary>A frame whose values are still to be received, to its <see cref="Destination"/>.</summary>
    /// <param name="header">Where the values belong.</param>
    /// <param name="bytes">How long they are; a multiple of four bytes.</param>
    /// <param name="sink">Knows where they belong; null if nobody does.</param>
    internal static Frame Receive(FrameHeader header, int bytes, IFrameSink? sink)
    {
        var count = bytes / sizeof(float);
        if (count == 0)
            return new Frame(header);
        return sink is not null && sink.Destination(header, count) is { IsEmpty: false } destination
            ? new Frame(header, destination) { IsInPlace = true }
            : new Frame(header, ArrayPool<float>.Shared.Rent(count), count);
    }
}
