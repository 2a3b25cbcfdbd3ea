using Distributed.Protocol;
using Distributed.Worker.Sessions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

public sealed class CoordinatorWaitTests
{
    private readonly CoordinatorWait _wait = new("http://10.0.0.1:5000");
    private long _progress;

    [Fact]
    public void A_worker_that_has_nothing_to_do_says_what_it_waits_for_at_doubling_intervals()
    {
        var told = Idle(seconds: 79, hasView: false);
        Assert.Equal(3, told.Count);
        Assert.Equal(
            "waiting for the coordinator at http://10.0.0.1:5000 for 10 s: it is connected, and the run has not begun with it: "
                + "other workers have still to join, or the members finish what they were granted",
            told[0]
        );
        Assert.StartsWith("waiting for the coordinator at http://10.0.0.1:5000 for 40 s: ", told[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_it_does_or_is_told_ends_the_wait()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Empty(Idle(seconds: 9, hasView: true));
            _progress++;
        }

        Assert.Empty(Idle(seconds: 9, hasView: true));
        Assert.Null(_wait.Beat(isIdle: false, _progress, hasView: true));
        Assert.Empty(Idle(seconds: 9, hasView: true));
    }

    private List<string> Idle(int seconds, bool hasView) =>
        [
            .. Enumerable
                .Range(0, (int)(seconds / WireLimits.HeartbeatInterval.TotalSeconds))
                .Select(_ => _wait.Beat(isIdle: true, _progress, hasView))
                .OfType<string>(),
        ];
}
