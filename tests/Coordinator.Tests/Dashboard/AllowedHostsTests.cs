using Distributed.Coordinator.Dashboard;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class AllowedHostsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7450", "127.0.0.1")]
    [InlineData("http://127.0.0.1:7450", "localhost")]
    [InlineData("http://127.0.0.1:7450", "LOCALHOST")]
    [InlineData("http://127.0.0.1:7450", "[::1]")]
    [InlineData("http://localhost:7450", "127.0.0.1")]
    [InlineData("http://10.0.0.5:7450", "10.0.0.5")]
    [InlineData("http://10.0.0.5:7450", "localhost")]
    [InlineData("http://trainer.example:7450", "Trainer.Example")]
    [InlineData("http://0.0.0.0:7450", "192.168.1.7")]
    [InlineData("http://[::]:7450", "[fe80::1]")]
    public void Names_of_this_machine_are_served(string listen, string host) => Assert.True(new AllowedHosts(new Uri(listen)).Allows(host));

    [Theory]
    [InlineData("http://127.0.0.1:7450", "")]
    [InlineData("http://127.0.0.1:7450", "evil.example")]
    [InlineData("http://127.0.0.1:7450", "localhost.evil.example")]
    [InlineData("http://127.0.0.1:7450", "127.0.0.1.evil.example")]
    [InlineData("http://127.0.0.1:7450", "10.0.0.5")]
    [InlineData("http://10.0.0.5:7450", "10.0.0.6")]
    [InlineData("http://10.0.0.5:7450", "evil.example")]
    [InlineData("http://trainer.example:7450", "10.0.0.5")]
    [InlineData("http://0.0.0.0:7450", "evil.example")]
    public void Other_names_are_not(string listen, string host) => Assert.False(new AllowedHosts(new Uri(listen)).Allows(host));

    [Fact]
    public void Where_all_addresses_are_listened_at_the_machines_name_is_served() =>
        Assert.True(new AllowedHosts(new Uri("http://0.0.0.0:7450")).Allows(Environment.MachineName));
}
