using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Distributed.Protocol;

/// <summary>The numbers of a frame, whose generated class knows bytes only. See <c>tensors.proto</c> for its fields.</summary>
internal sealed partial class TensorFrame
{
    /// <summary>The view in which it was sent.</summary>
    public ViewGeneration Generation => new(Epoch, Number);

    /// <summary>The values.</summary>
    /// <exception cref="InvalidDataException">The bytes are not whole numbers of four bytes.</exception>
    public ReadOnlySpan<float> Floats =>
        Values.Length % sizeof(float) == 0
            ? MemoryMarshal.Cast<byte, float>(Values.Span)
            : throw new InvalidDataException($"a frame has {Values.Length} bytes of values, which are not whole numbers of four bytes");

    /// <summary>A frame like this one, with a part of the vector.</summary>
    /// <param name="offset">Where in the flat vector the values begin, in elements.</param>
    /// <param name="values">The values; they are copied.</param>
    public TensorFrame With(long offset, ReadOnlySpan<float> values) =>
        new(this) { Offset = checked((ulong)offset), Values = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)) };
}
