using System.Globalization;
using System.Text;
using CsCheck;
using Distributed.Data.Formats.Csv;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class CsvNumberTests
{
    [Fact]
    public void Decimals_are_the_doubles_that_the_library_reads() =>
        Gen.Select(Gen.Bool, Gen.String[Gen.Char['0', '9'], 1, 30], Gen.Int[-1, 30])
            .Sample(
                (isNegative, digits, point) =>
                {
                    var text = (isNegative ? "-" : "") + (point < 0 || point > digits.Length ? digits : digits.Insert(point, "."));

                    Assert.True(CsvNumber.TryParse(Encoding.ASCII.GetBytes(text), out var value));
                    Assert.Equal(
                        BitConverter.DoubleToInt64Bits(double.Parse(text, CultureInfo.InvariantCulture)),
                        BitConverter.DoubleToInt64Bits(value)
                    );
                }
            );

    [Fact]
    public void Digits_and_a_power_of_ten_are_rounded_as_the_library_rounds_them() =>
        Gen.Select(Gen.ULong, Gen.Int[0, 63], Gen.Int[-64, 64])
            .Sample(
                (bits, shift, power) =>
                {
                    Assert.True(DecimalRounding.TryRound(bits >> shift, power, out var value));
                    AssertNearest(bits >> shift, power, value);
                },
                iter: 100_000
            );

    [Fact]
    public void Halves_between_two_doubles_are_rounded_to_the_even_one() =>
        Gen.Select(Gen.ULong[1UL << 52, (1UL << 53) - 1], Gen.Int[-4, 9], Gen.Int[-1, 1])
            .Sample(
                (mantissa, power, beside) =>
                {
                    // (2 m + 1) 2^-p is (2 m + 1) 5^p 10^-p.
                    var half = (2 * mantissa) + 1;
                    for (var five = power; five < 0; five++)
                        half *= 5;
                    var digits = (power > 0 ? half << power : half) + (ulong)beside;
                    Assert.True(DecimalRounding.TryRound(digits, Math.Min(power, 0), out var value));
                    AssertNearest(digits, Math.Min(power, 0), value);
                },
                iter: 100_000
            );

    [Theory]
    [InlineData("123456789012345678901,x", 21)] // three digits too many
    [InlineData("00000000000000000000000.5,x", 25)]
    [InlineData("-12345678.5,x", 11)]
    [InlineData("1234567,x", 7)]
    public void A_number_at_the_start_of_a_text_ends_where_its_digits_do(string text, int length)
    {
        var isShort = CsvNumber.TryParseStart(Encoding.ASCII.GetBytes(text), out var value, out var end);

        Assert.Equal(length, end);
        Assert.Equal(length != 21, isShort);
        Assert.Equal(isShort ? double.Parse(text[..length], CultureInfo.InvariantCulture) : 0, value);
    }

    private static void AssertNearest(ulong digits, int power, double value) =>
        Assert.Equal(
            BitConverter.DoubleToInt64Bits(
                double.Parse(string.Create(CultureInfo.InvariantCulture, $"{digits}e{power}"), CultureInfo.InvariantCulture)
            ),
            BitConverter.DoubleToInt64Bits(value)
        );

    [Theory]
    [InlineData("-0", -0.0)]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5.0)]
    [InlineData("+7", 7.0)]
    [InlineData(" 1e-3 ", 1e-3)]
    [InlineData("999999999999999", 999999999999999.0)]
    [InlineData("9007199254740993", 9007199254740992.0)]
    [InlineData("0.1000000000000000055511151231257827", 0.1)]
    public void Every_way_to_write_a_number_is_read(string text, double expected)
    {
        Assert.True(CsvNumber.TryParse(Encoding.ASCII.GetBytes(text), out var value));
        Assert.Equal(BitConverter.DoubleToInt64Bits(expected), BitConverter.DoubleToInt64Bits(value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("-.")]
    [InlineData("1.2.3")]
    [InlineData("1,000")]
    [InlineData("0x10")]
    [InlineData("--1")]
    [InlineData("1e")]
    public void Other_text_is_no_number(string text)
    {
        Assert.False(CsvNumber.TryParse(Encoding.ASCII.GetBytes(text), out var value));
        Assert.Equal(0.0, value);
    }
}
