using Distributed.Coordinator.Cluster.Control.Granting;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class GrantPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly GrantPace _pace;

    public GrantPaceTests() => _pace = new GrantPace(_time);

    [Theory]
    [InlineData(1, GrantPace.Least)]
    [InlineData(200, 120)]
    [InlineData(100_000, GrantPace.Most)]
    public void As_many_steps_are_granted_as_take_the_time_ahead(int stepsPerSecond, int ahead)
    {
        Assert.Equal(GrantPace.Least, _pace.StepsAhead(0));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ahead, _pace.StepsAhead(2 * stepsPerSecond));
    }

    [Fact]
    public void A_run_that_slows_down_is_granted_less_again()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(60, _pace.StepsAhead(100));
        _time.Advance(GrantPace.Ahead / 2);
        Assert.Equal(60, _pace.StepsAhead(101)); // too early to say
        _time.Advance(GrantPace.Ahead / 2);
        Assert.Equal(GrantPace.Least, _pace.StepsAhead(102));
    }
}
