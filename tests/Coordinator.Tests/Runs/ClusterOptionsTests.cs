using Distributed.Coordinator.Runs;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class ClusterOptionsTests
{
    [Fact]
    public void TheDefaultsAreValid()
    {
        var options = new ClusterOptions();
        Assert.Empty(options.Validate());
        Assert.InRange(options.Workers, 2, 4);
        Assert.True(options.ResolvedThreads >= 1);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5000")]
    [InlineData("http://localhost:5000")]
    [InlineData("http://[::1]:5000")]
    public void LoopbackNeedsNoToken(string listen) => Assert.Empty(new ClusterOptions { Listen = listen }.Validate());

    [Theory]
    [InlineData("http://0.0.0.0:5000")]
    [InlineData("http://[::]:5000")]
    [InlineData("http://10.0.0.1:5000")]
    [InlineData("http://node7:5000")]
    public void AnythingElseNeedsATokenOrTheWillToGoWithout(string listen)
    {
        Assert.Contains("--token-file", Assert.Single(new ClusterOptions { Listen = listen }.Validate()), StringComparison.Ordinal);
        Assert.Empty(new ClusterOptions { Listen = listen, TokenFile = "token" }.Validate());
        Assert.Empty(new ClusterOptions { Listen = listen, Insecure = true }.Validate());
    }

    [Theory]
    [InlineData("https://0.0.0.0:5000")]
    [InlineData("http://0.0.0.0:5000/path")]
    [InlineData("0.0.0.0:5000")]
    public void OtherAddressesAreRefused(string listen) =>
        Assert.Contains(
            "must be an address such as",
            Assert.Single(new ClusterOptions { Listen = listen }.Validate()),
            StringComparison.Ordinal
        );
}
