using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Distributed.Data;

/// <summary>
/// Turns stored samples into the numbers a network sees. Datasets in memory and samples from the wire pass through this one
/// code, so that they become the same bits.
/// </summary>
/// <remarks>A stored sample is one byte a value, or one little-endian 32-bit float a value.</remarks>
internal sealed class SampleDecoder
{
    private readonly int _sampleLength;
    private readonly float _divisor; // of bytes

    /// <summary>Creates a decoder.</summary>
    /// <param name="preprocessing">How values are stored and scaled.</param>
    /// <param name="shape">The shape of a sample.</param>
    public SampleDecoder(Preprocessing preprocessing, SampleShape shape)
    {
        IsBytes = preprocessing.ByteDivisor is not null;
        _sampleLength = shape.Length;
        BytesPerSample = IsBytes ? _sampleLength : checked(_sampleLength * sizeof(float));
        _divisor = preprocessing.ByteDivisor ?? 1;
    }

    /// <summary>Whether a stored value is a byte; otherwise it is a 32-bit float.</summary>
    public bool IsBytes { get; }

    /// <summary>Size of a stored sample in bytes.</summary>
    public int BytesPerSample { get; }

    /// <summary>Decodes whole samples; the destination is overwritten.</summary>
    /// <param name="stored">[n, BytesPerSample], the stored samples.</param>
    /// <param name="destination">[n, shape.Length], the numbers a network sees.</param>
    /// <exception cref="ArgumentException">The lengths are not those of the same whole number of samples.</exception>
    public void Decode(ReadOnlySpan<byte> stored, Span<float> destination)
    {
        var (samples, rest) = int.DivRem(stored.Length, BytesPerSample);
        if (rest != 0 || (long)samples * _sampleLength != destination.Length)
        {
            throw new ArgumentException($"{stored.Length} bytes are not {destination.Length} values of samples of {BytesPerSample} bytes.");
        }

        DecodeValues(stored, destination);
    }

    /// <summary>Decodes values of a sample, to the same bits as <see cref="Decode"/>; the destination is overwritten.</summary>
    /// <param name="stored">[n] bytes or 32-bit floats.</param>
    /// <param name="destination">[n].</param>
    public void DecodeValues(ReadOnlySpan<byte> stored, Span<float> destination)
    {
        if (IsBytes)
            Scale(stored, destination);
        else
            CopyFloats(stored, destination);
    }

    /// <summary>destination = stored / divisor: correctly rounded quotients, the same on every machine.</summary>
    private void Scale(ReadOnlySpan<byte> stored, Span<float> destination)
    {
        var i = 0;
        for (; i <= stored.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(stored[i..]));
            Scale(low, destination[i..]);
            Scale(high, destination[(i + Vector128<ushort>.Count)..]);
        }

        for (; i < stored.Length; i++)
            destination[i] = stored[i] / _divisor;
    }

    private void Scale(Vector128<ushort> stored, Span<float> destination)
    {
        var (low, high) = Vector128.Widen(stored);
        (Vector128.ConvertToSingle(low.AsInt32()) / _divisor).CopyTo(destination);
        (Vector128.ConvertToSingle(high.AsInt32()) / _divisor).CopyTo(destination[Vector128<float>.Count..]);
    }

    private static void CopyFloats(ReadOnlySpan<byte> stored, Span<float> destination)
    {
        var bits = MemoryMarshal.Cast<float, int>(destination);
        stored.CopyTo(MemoryMarshal.AsBytes(destination));
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(bits, bits);
    }
}
