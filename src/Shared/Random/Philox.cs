using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Random;

/// <summary>
/// The counter-based generator Philox4x32-10 of J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC11): a bijection of 128-bit counters, chosen by a 64-bit key. It has no state, so a draw depends on its position alone.
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;

    // The Weyl sequence that advances the key: the golden ratio and the square root of 3, minus 1, as 32-bit fractions.
    private const uint KeyStep0 = 0x9E3779B9;
    private const uint KeyStep1 = 0xBB67AE85;

    /// <summary>Returns the four 32-bit words at a counter.</summary>
    /// <param name="counter">Position in the sequence; word 0 is the least significant.</param>
    /// <param name="key">Which sequence: the low half is key word 0, the high half key word 1.</param>
    public static Vector128<uint> Block(Vector128<uint> counter, ulong key)
    {
        uint c0 = counter.GetElement(0),
            c1 = counter.GetElement(1),
            c2 = counter.GetElement(2),
            c3 = counter.GetElement(3);
        uint k0 = (uint)key,
            k1 = (uint)(key >> 32);
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(product1 >> 32) ^ c1 ^ k0;
            c1 = (uint)product1;
            c2 = (uint)(product0 >> 32) ^ c3 ^ k1;
            c3 = (uint)product0;
            k0 += KeyStep0;
            k1 += KeyStep1;
        }

        return Vector128.Create(c0, c1, c2, c3);
    }

    /// <summary>Returns what <see cref="Block"/> gives at eight neighbouring counters, one after the other.</summary>
    /// <param name="low">Words 0 and 1 of the first counter; the others follow it without a carry into words 2 and 3.</param>
    /// <param name="high">Words 2 and 3 of all of them.</param>
    /// <param name="key">Which sequence.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<uint> First, Vector512<uint> Second) EightBlocks(ulong low, ulong high, ulong key)
    {
        // One counter a lane, each word in the lower half of its 64 bits; what is above does not count. The lanes are dealt so that the
        // words of neighbouring counters end up side by side.
        Vector512<ulong> c0 = Vector512.Create(low) + Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7),
            c1 = c0 >>> 32;
        Vector512<ulong> c2 = Vector512.Create(high),
            c3 = Vector512.Create(high >> 32);
        Vector512<ulong> k0 = Vector512.Create(key),
            k1 = Vector512.Create(key >> 32);
        for (var round = 0; round < Rounds; round++)
        {
            Vector512<ulong> product0 = Product(c0, Multiplier0),
                product1 = Product(c2, Multiplier1);
            c0 = (product1 >>> 32) ^ c1 ^ k0;
            c1 = product1;
            c2 = (product0 >>> 32) ^ c3 ^ k1;
            c3 = product0;
            k0 += Vector512.Create((ulong)KeyStep0);
            k1 += Vector512.Create((ulong)KeyStep1);
        }

        var word = Vector512.Create((ulong)uint.MaxValue);
        return Interleave((c0 & word) | (c1 << 32), (c2 & word) | (c3 << 32));
    }

    /// <summary>The product of the lower halves of 64-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Product(Vector512<ulong> words, uint multiplier) =>
        Avx512F.IsSupported
            ? Avx512F.Multiply(words.AsUInt32(), Vector512.Create((ulong)multiplier).AsUInt32())
            : (words & Vector512.Create((ulong)uint.MaxValue)) * Vector512.Create((ulong)multiplier);

    /// <summary>Lanes 0, 2, 4 and 6 of both operands in turn, and lanes 1, 3, 5 and 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> Even, Vector512<uint> Odd) Interleave(Vector512<ulong> left, Vector512<ulong> right)
    {
        var isLeft = Vector512.Create(ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0);
        var shiftedRight = Vector512.Shuffle(right, Vector512.Create(0UL, 0, 2, 2, 4, 4, 6, 6));
        var shiftedLeft = Vector512.Shuffle(left, Vector512.Create(1UL, 1, 3, 3, 5, 5, 7, 7));
        return (
            Vector512.ConditionalSelect(isLeft, left, shiftedRight).AsUInt32(),
            Vector512.ConditionalSelect(isLeft, shiftedLeft, right).AsUInt32()
        );
    }
}
