using System.Runtime.Intrinsics;

namespace Distributed.Random;

/// <summary>
/// The counter-based generator Philox4x32-10 of J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC11): a bijection of 128-bit counters, chosen by a 64-bit key. It has no state, so a draw depends on its position alone.
/// </summary>
public static class Philox
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
        uint c0 = counter.GetElement(0), c1 = counter.GetElement(1), c2 = counter.GetElement(2), c3 = counter.GetElement(3);
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0;
            ulong product1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(product1 >> 32) ^ c1 ^ k0;
            c1 = (uint)product1;
            c2 = (uint)(product0 >> 32) ^ c3 ^ k1;
            c3 = (uint)product0;
            k0 += KeyStep0;
            k1 += KeyStep1;
        }

        return Vector128.Create(c0, c1, c2, c3);
    }
}
