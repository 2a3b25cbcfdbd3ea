using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Distributed.Collectives;

/// <summary>
/// The hash by which training states are compared between members, and by which a state is checked that has travelled: XXH128 over the
/// weights and then the moments. It finds faults, not forgeries.
/// </summary>
internal sealed class StateHash
{
    /// <summary>Size of a hash in bytes.</summary>
    public const int ByteLength = 16;

    private const int PieceLength = 1 << 20; // a span of bytes holds at most 2 GiB, a flat vector may be longer

    private readonly XxHash128 _hash = new();

    /// <summary>The hash of some vectors, one after the other.</summary>
    /// <param name="vectors">The weights, then the moments.</param>
    /// <returns>[<see cref="ByteLength"/>].</returns>
    public static byte[] Of(IEnumerable<ReadOnlyMemory<float>> vectors)
    {
        var hash = new StateHash();
        foreach (var vector in vectors)
            hash.Append(vector.Span);
        return hash.Value();
    }

    /// <summary>Takes the next values.</summary>
    public void Append(ReadOnlySpan<float> values)
    {
        for (var start = 0; start < values.Length; start += PieceLength)
            _hash.Append(MemoryMarshal.AsBytes(values.Slice(start, Math.Min(PieceLength, values.Length - start))));
    }

    /// <summary>The hash of all values so far.</summary>
    public byte[] Value()
    {
        var bytes = new byte[ByteLength];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, _hash.GetCurrentHashAsUInt128());
        return bytes;
    }
}
