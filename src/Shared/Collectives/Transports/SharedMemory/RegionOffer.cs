using System.Buffers.Binary;
using System.Security.Cryptography;
using Distributed.Protocol;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>How a process of the same host finds a region, and how it knows that it has found the right one.</summary>
/// <param name="ProcessId">The process that made the region, by the number that it knows itself.</param>
/// <param name="Descriptor">The number of the region's file in that process.</param>
/// <param name="Bytes">The region's length.</param>
/// <param name="Nonce">A random number that also stands in the region.</param>
internal readonly record struct RegionOffer(int ProcessId, int Descriptor, long Bytes, UInt128 Nonce)
{
    /// <summary>What a peer says.</summary>
    public static RegionOffer From(MemoryOffer message) =>
        new(message.ProcessId, message.File, message.Bytes, new UInt128(message.NonceHigh, message.NonceLow));

    /// <summary>To be told.</summary>
    public MemoryOffer ToMessage() =>
        new()
        {
            ProcessId = ProcessId,
            File = Descriptor,
            Bytes = Bytes,
            NonceLow = (ulong)Nonce,
            NonceHigh = (ulong)(Nonce >> 64),
        };

    /// <summary>A number that cannot be guessed.</summary>
    internal static UInt128 NewNonce()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }
}

/// <summary>The first line of a region.</summary>
/// <param name="Nonce">The region's random number.</param>
/// <param name="Format">What the region is laid out by; programs with another format lay it out in another way.</param>
internal readonly record struct RegionHeader(UInt128 Nonce, int Format)
{
    /// <summary>To be raised with every change of <see cref="RegionLayout"/>.</summary>
    public const int CurrentFormat = 2;
}
