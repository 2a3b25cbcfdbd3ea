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
        Gen.Select(Gen.Bool, Gen.String[Gen.Char['0', '9'], 1, 18], Gen.Int[-1, 18])
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
