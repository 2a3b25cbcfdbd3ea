using System.Globalization;

namespace Distributed.Data.Formats.Csv;

/// <summary>Reads decimal numbers to the nearest double, whatever the machine's language.</summary>
internal static class CsvNumber
{
    /// <summary>More characters than any program writes for a number.</summary>
    public const int Longest = 64;

    private const int MostDigits = 15;

    // Powers of ten that a double holds exactly.
    private static readonly double[] PowersOfTen = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    /// <summary>Reads a number; false, with the value 0, if the text is none.</summary>
    /// <remarks>
    /// Up to 15 digits are an exact integer divided by an exact power of ten: one rounding, hence the nearest double (W. Clinger,
    /// "How to read floating point numbers accurately", 1990). Everything else takes the library's longer way to the same result.
    /// </remarks>
    public static bool TryParse(ReadOnlySpan<byte> text, out double value) =>
        TryParseShort(text, out value) || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static bool TryParseShort(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        var isNegative = text.Length > 0 && text[0] == '-';
        var digits = isNegative ? text[1..] : text;
        if (digits.Length is 0 or > MostDigits + 1)
            return false;

        long mantissa = 0;
        var point = -1;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[i] - '0';
            if ((uint)digit <= 9)
                mantissa = (mantissa * 10) + digit;
            else if (digits[i] == '.' && point < 0)
                point = i;
            else
                return false;
        }

        var decimals = point < 0 ? 0 : digits.Length - 1 - point;
        var isExact = point < 0 ? digits.Length <= MostDigits : digits.Length > 1;
        var magnitude = mantissa / PowersOfTen[decimals];
        value = isNegative ? -magnitude : magnitude;
        return isExact;
    }
}
