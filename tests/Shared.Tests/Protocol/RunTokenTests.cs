using CsCheck;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Protocol;

public sealed class RunTokenTests
{
    [Fact]
    public void A_token_matches_its_own_header_and_no_other()
    {
        var (token, other) = (RunToken.Create(), RunToken.Create());
        Assert.True(token.Matches(token.HeaderValue));
        Assert.False(token.Matches(other.HeaderValue));
        Assert.False(token.Matches(null));
        Assert.False(token.Matches(""));
        Assert.False(token.Matches(token.Reveal()));
        Assert.False(token.Matches("Basic " + token.Reveal()));
    }

    [Fact]
    public void Every_digit_counts() =>
        Gen.Int[0, 63]
            .Sample(digit =>
            {
                var token = RunToken.Create();
                var digits = token.Reveal().ToCharArray();
                digits[digit] = digits[digit] == '0' ? '1' : '0';
                return !token.Matches("Bearer " + new string(digits));
            });

    [Fact]
    public void A_token_is_read_back_from_what_it_reveals_whatever_the_case_and_the_space_around_it()
    {
        var token = RunToken.Create();
        Assert.True(RunToken.TryParse($"  {token.Reveal().ToUpperInvariant()}\n", out var read));
        Assert.True(read.Matches(token.HeaderValue));
    }

    [Fact]
    public void Other_texts_are_no_tokens() =>
        Gen.OneOf(
                Gen.String,
                Gen.String[Gen.Char["0123456789abcdef"], 0, 63],
                Gen.Const(new string('g', 64)),
                Gen.Const(new string('a', 66))
            )
            .Sample(text => !RunToken.TryParse(text, out _));

    [Fact]
    public void It_does_not_show_itself()
    {
        var token = RunToken.Create();
        Assert.DoesNotContain(token.Reveal(), $"{token}", StringComparison.OrdinalIgnoreCase);
        Assert.Equal(64, token.Reveal().Length);
    }
}
