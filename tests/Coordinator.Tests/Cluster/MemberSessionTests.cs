using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class MemberSessionTests
{
    private static readonly CoordinatorMessage Dismissal = new() { Dismissal = new Dismissal() };

    [Theory]
    [InlineData(nameof(SessionState.Released), nameof(SessionState.Departed))]
    [InlineData(nameof(SessionState.Expelled), nameof(SessionState.Expelled))]
    [InlineData(nameof(SessionState.TurnedAway), nameof(SessionState.TurnedAway))]
    public void How_a_worker_was_let_go_is_known_after_its_end(string letGo, string after)
    {
        var session = New();
        session.BecomeReady(holdsDataset: true);
        session.Dismiss(Dismissal, Enum.Parse<SessionState>(letGo));
        session.End();
        session.End();
        Assert.Equal((after, false, true), (session.State.ToString(), session.IsOpen, session.HasBeenReady));
    }

    [Fact]
    public void A_worker_that_ends_without_having_been_let_go_is_lost()
    {
        var session = New();
        session.End();
        Assert.Equal((SessionState.Lost, false), (session.State, session.HasBeenReady));
        Assert.Throws<InvalidOperationException>(() => session.BecomeReady(holdsDataset: false));
    }

    [Fact]
    public void A_worker_is_let_go_once()
    {
        var session = New();
        session.Dismiss(Dismissal, SessionState.Released);
        Assert.Throws<InvalidOperationException>(() => session.Dismiss(Dismissal, SessionState.Expelled));
        Assert.Equal(SessionState.Released, session.State);
    }

    [Fact]
    public void No_state_is_reached_twice()
    {
        var all = Enum.GetValues<SessionState>();
        Assert.All(all, state => Assert.DoesNotContain(state, ReachableFrom(state)));
        Assert.Equal(all.Except([SessionState.Preparing]), ReachableFrom(SessionState.Preparing).Distinct().Order());
    }

    private static IEnumerable<SessionState> ReachableFrom(SessionState state) =>
        Enum.GetValues<SessionState>().Where(next => state.CanBecome(next)).SelectMany(next => ReachableFrom(next).Prepend(next));

    private static MemberSession New() => new(1, new Join { Host = "host", ProcessId = 101 }, "http://127.0.0.1:5001");
}
