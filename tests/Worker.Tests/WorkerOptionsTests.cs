using Xunit;

namespace Distributed.Worker.Tests;

public sealed class WorkerOptionsTests
{
    private static readonly WorkerOptions Good = new() { Coordinator = "http://127.0.0.1:5000" };

    internal static class Examples
    {
        public static TheoryData<string, WorkerOptions> Bad =>
            new()
            {
                { "--coordinator", Good with { Coordinator = "127.0.0.1:5000" } },
                { "--coordinator", Good with { Coordinator = "https://127.0.0.1:5000" } },
                { "--coordinator", Good with { Coordinator = "http://127.0.0.1:5000/path" } },
                { "--listen", Good with { Listen = "anywhere" } },
                { "--listen", Good with { Listen = "http://0.0.0.0:5001" } },
                { "--listen", Good with { Listen = "http://[::]:5001" } },
                { "--listen", Good with { Listen = "http://a.name:5001" } },
                { "--advertise", Good with { Advertise = "me" } },
                { "--threads", Good with { Threads = 0 } },
                { "--threads", Good with { Threads = 1025 } },
                { "--connect-timeout", Good with { ConnectTimeout = 0 } },
                { "--emergency-dir", Good with { EmergencyDir = "" } },
                { "--insecure", Good with { Insecure = true, TokenFile = "token" } },
            };
    }

    [Theory]
    [MemberData(nameof(Examples.Bad), MemberType = typeof(Examples))]
    internal void A_bad_value_is_named_with_what_would_be_right(string option, WorkerOptions options)
    {
        var error = Assert.Single(options.Errors(hasToken: false));
        Assert.StartsWith(option, error, StringComparison.Ordinal);
        Assert.Matches("must be|needs|contradicts", error);
    }

    [Fact]
    public void All_bad_values_are_named_at_once() =>
        Assert.Equal(4, (Good with { Coordinator = "", Listen = "", Threads = 0, ConnectTimeout = 0 }).Errors(hasToken: false).Count());

    [Theory]
    [InlineData("http://127.0.0.1:0", false, false, null)]
    [InlineData("http://localhost:5001", false, false, null)]
    [InlineData("http://[::1]:5001", false, false, null)]
    [InlineData("http://0.0.0.0:5001", true, false, null)]
    [InlineData("http://0.0.0.0:5001", false, true, null)]
    [InlineData("http://0.0.0.0:5001", false, false, "token")]
    public void Listening_beyond_this_machine_needs_a_token_or_the_word_insecure(
        string listen,
        bool hasToken,
        bool insecure,
        string? tokenFile
    ) => Assert.Empty((Good with { Listen = listen, Insecure = insecure, TokenFile = tokenFile }).Errors(hasToken));
}
