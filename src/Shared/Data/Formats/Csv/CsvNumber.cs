using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Distributed.Data.Formats.Csv;

/// <summary>Reads decimal numbers to the nearest double, whatever the machine's language.</summary>
internal static class CsvNumber
{
    /// <summary>More characters than any program writes for a number.</summary>
    public const int Longest = 64;

    // An unsigned 64-bit integer holds every number of so many digits.
    private const int MostDigits = 19;

    // Up to here a double holds every integer.
    private const ulong LargestInteger = 1UL << 53;

    private const int LargestPower = 22;

    // Powers of ten that a double holds exactly.
    private static readonly double[] PowersOfTen =
    [
        .. Enumerable.Range(0, LargestPower + 1).Select(power => double.Parse($"1e{power}", CultureInfo.InvariantCulture)),
    ];

    /// <summary>Reads a number; false, with the value 0, if the text is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out double value)
    {
        if (TryParseStart(text, out value, out var length) && length == text.Length)
            return true;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>
    /// Reads the digits that a text begins with, perhaps with a minus before and a point among them, as long as there are at most 19 behind
    /// leading zeros; what follows them is for the caller to look at.
    /// </summary>
    /// <remarks>
    /// An exact integer divided by an exact power of ten is rounded once, hence the nearest double (W. Clinger, "How to read floating point
    /// numbers accurately", 1990). Where either is not exact, <see cref="DecimalRounding"/> takes as long as it does.
    /// </remarks>
    /// <param name="text">The text.</param>
    /// <param name="value">The nearest double; 0 if it cannot be told here.</param>
    /// <param name="length">Characters that are part of the number.</param>
    /// <returns>Whether there is such a number.</returns>
    public static bool TryParseStart(ReadOnlySpan<byte> text, out double value, out int length)
    {
        value = 0;
        var at = text.Length > 0 && text[0] == '-' ? 1 : 0;
        var start = at;
        ulong digits = 0;
        at = TakeDigits(text, at, ref digits);
        var count = at - start;
        var decimals = 0;
        if (at < text.Length && text[at] == '.')
        {
            var point = at++;
            at = TakeDigits(text, at, ref digits);
            decimals = at - point - 1;
            count += decimals;
        }

        length = at;
        if (count == 0 || (count > MostDigits && count - LeadingZeros(text[start..at]) > MostDigits))
            return false;
        double magnitude;
        if (digits <= LargestInteger && decimals <= LargestPower)
            magnitude = digits / PowersOfTen[decimals];
        else if (!DecimalRounding.TryRound(digits, -decimals, out magnitude))
            return false;
        value = start == 0 ? magnitude : -magnitude;
        return true;
    }

    /// <summary>Appends digits to a number, which overflows if there are too many.</summary>
    /// <returns>Where the digits end.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int TakeDigits(ReadOnlySpan<byte> text, int at, ref ulong digits)
    {
        while (text.Length - at >= sizeof(ulong) && TryReadEight(BinaryPrimitives.ReadUInt64LittleEndian(text[at..]), out var eight))
        {
            digits = (digits * 100_000_000) + eight;
            at += sizeof(ulong);
        }

        for (; at < text.Length && (uint)(text[at] - '0') <= 9; at++)
            digits = (digits * 10) + (uint)(text[at] - '0');
        return at;
    }

    /// <summary>Reads eight digits at once: pairs, then fours, then all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadEight(ulong text, out uint value)
    {
        value = 0;
        // The upper half of a digit is 3, and stays 3 when 6 is added.
        if ((text & (text + 0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0) != 0x3030_3030_3030_3030)
            return false;
        text -= 0x3030_3030_3030_3030;
        text = (text * 10) + (text >> 8);
        text = ((text & 0x0000_00ff_0000_00ff) * 0x000f_4240_0000_0064) + (((text >> 16) & 0x0000_00ff_0000_00ff) * 0x0000_2710_0000_0001);
        value = (uint)(text >> 32);
        return true;
    }

    private static int LeadingZeros(ReadOnlySpan<byte> digits)
    {
        var first = digits.IndexOfAnyExcept("0."u8);
        return (first < 0 ? digits : digits[..first]).Count((byte)'0');
    }
}
