using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Distributed.Random;

/// <summary>
/// Random numbers that are a pure function of (seed, purpose, stream, index): draws can be made in any order, on any machine and
/// by any thread, and two different positions never share a draw.
/// </summary>
/// <remarks>
/// The seed is the key of <see cref="Philox"/>. Its counter holds, from the least significant word: the index divided by 4 (64
/// bits), the stream (56 bits) and the purpose (8 bits). The index modulo 4 picks the word of the block.
/// </remarks>
internal readonly struct CounterRandom
{
    private const int StreamBits = 56;

    private readonly ulong _seed;
    private readonly ulong _purposeAndStream;

    /// <summary>Names a sequence of draws.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the draws are for.</param>
    /// <param name="stream">The epoch, step or parameter index that the draws belong to; below 2^56.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stream or the purpose has too many bits.</exception>
    public CounterRandom(ulong seed, RandomPurpose purpose, ulong stream)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(stream, 1UL << StreamBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)purpose, byte.MaxValue, nameof(purpose));
        _seed = seed;
        _purposeAndStream = ((ulong)purpose << StreamBits) | stream;
    }

    /// <summary>Returns 32 uniform bits.</summary>
    /// <param name="index">Position in the sequence.</param>
    [SuppressMessage("Naming", "CA1720", Justification = "The width is what sets this draw apart.")]
    public uint UInt32(ulong index) =>
        Philox.Block(Vector128.Create(index >> 2, _purposeAndStream).AsUInt32(), _seed).GetElement((int)(index & 3));

    /// <summary>Returns the draws of <see cref="UInt32"/> at the indices 4 * block to 4 * block + 31.</summary>
    /// <param name="block">Position in the sequence, divided by 4.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (Vector512<uint> First, Vector512<uint> Second) EightBlocks(ulong block) => Philox.EightBlocks(block, _purposeAndStream, _seed);

    /// <summary>Returns a multiple of 2^-24 in [0, 1), each equally likely.</summary>
    /// <param name="index">Position in the sequence.</param>
    public float Uniform(ulong index) => (UInt32(index) >> 8) * (1f / (1 << 24));

    /// <summary>Returns an integer in [0, bound). The probability of each differs from 1/bound by less than 2^-32.</summary>
    /// <param name="index">Position in the sequence.</param>
    /// <param name="bound">Number of possible values, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bound is 0.</exception>
    public uint Below(ulong index, uint bound)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bound);
        return (uint)(((ulong)UInt32(index) * bound) >> 32);
    }
}
