using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("plain, größe, 犬, 😀", "plain, größe, 犬, 😀")]
    [InlineData("two\nlines\r\tend", "two\\nlines\\r\\tend")]
    [InlineData("\u001b[31mred", "\\u001b[31mred")]
    [InlineData("\u0000\u0007\u007f\u0085", "\\u0000\\u0007\\u007f\\u0085")]
    [InlineData("a\u202etxt.b", "a\\u202etxt.b")]
    [InlineData("\u2066x\u2069", "\\u2066x\\u2069")]
    [InlineData("a\u200bb\u00adc\ufeff", "a\\u200bb\\u00adc\\ufeff")]
    [InlineData("\u2028\u2029\ue000", "\\u2028\\u2029\\ue000")]
    public void What_cannot_be_seen_or_moves_what_can_is_escaped(string text, string shown) => Assert.Equal(shown, Printable.Of(text));
}
