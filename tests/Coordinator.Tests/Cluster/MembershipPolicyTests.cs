using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class MembershipPolicyTests
{
    private static readonly TimeSpan Long = MembershipPolicy.LastCall;

    private static readonly ClusterView View = new(new ViewGeneration(1, 1), FirstStep: 1, Workers: [3, 1], Shares: [1, 1]);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_first_view_waits_for_the_minimum(int ready) =>
        Assert.Null(new MembershipPolicy(MinimumWorkers: 2, ExpectsOthers: false).First(FirstOf(ready), Long).Workers);

    [Fact]
    public void The_first_view_has_all_that_are_ready_in_order_of_arrival() =>
        Assert.Equal([1, 2, 3], new MembershipPolicy(2, ExpectsOthers: false).First(FirstOf(3), TimeSpan.Zero).Workers);

    [Fact]
    public void A_run_that_others_may_join_waits_a_moment_after_each_arrival()
    {
        var policy = new MembershipPolicy(1, ExpectsOthers: true);
        Assert.Null(policy.First(FirstOf(2), Long - TimeSpan.FromTicks(1)).Workers);
        Assert.Equal([1, 2], policy.First(FirstOf(2), Long).Workers);
    }

    [Fact]
    public void Those_who_are_leaving_do_not_count_towards_the_minimum() =>
        Assert.Null(new MembershipPolicy(2, ExpectsOthers: false).First([new(1, Leaving: true), new(2, Leaving: false)], Long).Workers);

    [Fact]
    public void Nothing_changes_while_nobody_comes_or_goes() => Assert.Null(MembershipPolicy.Next(View, Candidates(1, 3)).Workers);

    [Fact]
    public void Members_keep_their_order_and_newcomers_come_last() =>
        Assert.Equal([3, 1, 2, 4], MembershipPolicy.Next(View, Candidates(1, 2, 3, 4)).Workers);

    [Fact]
    public void Those_who_leave_or_are_gone_are_left_out()
    {
        Assert.Equal([1], MembershipPolicy.Next(View, [new(1, Leaving: false), new(3, Leaving: true)]).Workers);
        Assert.Equal([3], MembershipPolicy.Next(View, Candidates(3)).Workers);
        Assert.Equal([], MembershipPolicy.Next(View, [new(1, Leaving: true), new(3, Leaving: true)]).Workers);
    }

    [Fact]
    public void If_all_members_leave_while_others_join_they_stay_until_those_have_the_state()
    {
        Candidate[] ready = [new(1, Leaving: true), new(3, Leaving: true), new(4, Leaving: false)];
        var handover = MembershipPolicy.Next(View, ready).Workers!;
        Assert.Equal([3, 1, 4], handover);
        Assert.Equal([4], MembershipPolicy.Next(View with { Workers = handover }, ready).Workers);
    }

    [Fact]
    public void Every_decision_has_a_reason()
    {
        Assert.Equal("1 of 2 workers are ready", new MembershipPolicy(2, false).First(FirstOf(1), Long).Reason);
        Assert.Equal("1 join, 2 leave", MembershipPolicy.Next(View, Candidates(2)).Reason);
    }

    private static Candidate[] FirstOf(int count) => Candidates([.. Enumerable.Range(1, count)]);

    private static Candidate[] Candidates(params int[] workers) => [.. workers.Select(worker => new Candidate(worker, Leaving: false))];
}
