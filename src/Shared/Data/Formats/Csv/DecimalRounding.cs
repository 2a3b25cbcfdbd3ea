using System.Numerics;

namespace Distributed.Data.Formats.Csv;

/// <summary>
/// The double nearest to a decimal number, in the way of D. Lemire, "Number parsing at a gigabyte per second" (2021): the number is multiplied by
/// an approximation of the power of ten that is exact enough for every integer of 64 bits (N. Mushtak, D. Lemire, "Fast number parsing
/// without fallback", 2022).
/// </summary>
internal static class DecimalRounding
{
    // Results in between have neither a smaller precision nor an infinite value.
    private const int LeastPower = -64,
        LargestPower = 64;

    private const int MantissaBits = 52,
        LargestExponent = 1023;

    // Up to here a reciprocal is taken to 128 bits from the start; below, to twice as many and then cut.
    private const int LeastExactPower = -27;

    // Only with these can the number be half way between two doubles.
    private const int LeastPowerOfHalves = -4,
        LargestPowerOfHalves = 23;

    private static readonly UInt128[] PowersOfFive = [.. Enumerable.Range(LeastPower, LargestPower - LeastPower + 1).Select(PowerOfFive)];

    /// <summary>Rounds a number, ties to even.</summary>
    /// <param name="digits">The number without its power of ten.</param>
    /// <param name="power">The power of ten.</param>
    /// <param name="value">The nearest double.</param>
    /// <returns>False, with 0, if the power is not between -64 and 64.</returns>
    public static bool TryRound(ulong digits, int power, out double value)
    {
        value = 0;
        if (power is < LeastPower or > LargestPower)
            return false;
        if (digits == 0)
            return true;
        var zeros = BitOperations.LeadingZeroCount(digits);
        var (high, low) = Multiply(digits << zeros, PowersOfFive[power - LeastPower]);
        var upper = (int)(high >> 63);
        var shift = upper + 64 - MantissaBits - 3;
        var mantissa = high >> shift; // one bit more than it takes, and the leading one
        if (low <= 1 && power is >= LeastPowerOfHalves and <= LargestPowerOfHalves && (mantissa & 3) == 1 && mantissa << shift == high)
        {
            mantissa &= ~1UL; // exactly half: down to the even one
        }

        mantissa = (mantissa + (mantissa & 1)) >> 1;
        // 5^power has the exponent floor(power * log2(5)); with that of 2^power it is floor(power * log2(10)).
        var exponent = ((217706 * power) >> 16) + 63 + upper - zeros + LargestExponent;
        if (mantissa == 2UL << MantissaBits)
            (mantissa, exponent) = (1UL << MantissaBits, exponent + 1);
        value = BitConverter.UInt64BitsToDouble(((ulong)exponent << MantissaBits) | (mantissa & ~(1UL << MantissaBits)));
        return true;
    }

    /// <summary>The upper 128 of 192 bits, with the lowest of them left aside where they cannot change the result.</summary>
    private static (ulong High, ulong Low) Multiply(ulong digits, UInt128 power)
    {
        const ulong decided = ulong.MaxValue >> (MantissaBits + 3);
        var high = Math.BigMul(digits, (ulong)(power >> 64), out var low);
        if ((high & decided) != decided)
            return (high, low);
        var carried = Math.BigMul(digits, (ulong)power, out _);
        low += carried;
        return (low < carried ? high + 1 : high, low);
    }

    /// <summary>The first 128 bits of a power of five: rounded down, and up where it is a fraction.</summary>
    private static UInt128 PowerOfFive(int power)
    {
        var five = BigInteger.Pow(5, Math.Abs(power));
        if (power >= 0)
        {
            var shift = 128 - (int)five.GetBitLength();
            return (UInt128)(shift >= 0 ? five << shift : five >> -shift);
        }

        // The least z with 2^z at least 5^-power.
        var bits = (int)(five - 1).GetBitLength();
        if (power >= LeastExactPower)
            return (UInt128)((BigInteger.One << (bits + 127)) / five + 1);
        var fraction = (BigInteger.One << ((2 * bits) + 128)) / five + 1;
        return (UInt128)(fraction >> ((int)fraction.GetBitLength() - 128));
    }
}
