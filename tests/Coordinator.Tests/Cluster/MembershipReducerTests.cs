using System.Globalization;
using CsCheck;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Tests.Cluster.Simulation;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class MembershipReducerTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private static readonly Gen<SimulatedHistory> Histories =
        from holdsState in Gen.Bool
        from workers in Gen.Int[1, 4]
        from evaluation in Gen.Int[1, 3]
        from ahead in Gen.Int[1, 4]
        from chances in Gen.Select(
            Gen.Frequency(
                (16, Happening.Go),
                (24, Happening.Arrive),
                (30, Happening.Act),
                (5, Happening.Kill),
                (1, Happening.CutOff),
                (5, Happening.Join),
                (2, Happening.Return),
                (1, Happening.Restart),
                (3, Happening.Leave),
                (2, Happening.Complain),
                (4, Happening.Repeat),
                (1, Happening.Share),
                (1, Happening.Dispute),
                (8, Happening.Wait)
            ),
            Gen.Int[0, 999],
            Gen.Int[0, 999],
            (happening, which, how) => new Chance(happening, which, how)
        ).Array[1, 200]
        select new SimulatedHistory(holdsState, workers, evaluation, ahead, chances);

    [Theory]
    [InlineData(1, "")]
    [InlineData(2, "view 1.1 of 1, 2, state of 0 for 1, 2 (2 workers are ready)")]
    public void The_first_view_waits_for_the_minimum(int ready, string decision)
    {
        var run = new Scenario(Rules(minimum: 2));
        for (var worker = 1; worker < ready; worker++)
            Assert.Equal("", run.Apply(new Arrived(worker)));
        Assert.Equal(decision, run.Apply(new Arrived(ready)));
        Assert.Equal(decision.Length > 0, run.State.IsRunning);
    }

    [Fact]
    public void The_first_view_waits_a_moment_after_each_arrival_if_others_may_come()
    {
        var run = new Scenario(Rules() with { ExpectsOthers = true });
        Assert.Equal("", run.Apply(new Arrived(1)));
        Assert.Equal("", run.Wait(MembershipRules.LastCall - Tick));
        Assert.Equal("", run.Apply(new Arrived(2)));
        Assert.Equal("", run.Wait(MembershipRules.LastCall - Tick));
        Assert.Equal("view 1.1 of 1, 2, state of 0 for 1, 2 (2 workers are ready)", run.Wait(Tick));
    }

    // A worker of an earlier coordinator may have said it before it has noticed that there is another one.
    [Fact]
    public void What_is_said_of_a_view_of_an_earlier_epoch_does_not_count()
    {
        var run = new Scenario(Rules(minimum: 2));
        run.Apply(new Arrived(1));
        var before = run.State;
        run.Apply(new Opened(1, new ViewGeneration(Epoch: 0, Number: 7)));
        Assert.Same(before, run.State);
    }

    [Fact]
    public void Those_who_leave_before_the_first_view_are_released_and_do_not_count()
    {
        var run = new Scenario(Rules(minimum: 2));
        Assert.Equal("release 1 (it was asked to leave)", run.Apply(new Arrived(1), new Leaving(1, IsUrgent: false)));
        Assert.Equal("", run.Apply(new Arrived(2)));
        Assert.Equal("view 1.1 of 2, 3, state of 0 for 2, 3 (2 workers are ready)", run.Apply(new Arrived(3)));
    }

    [Fact]
    public void A_run_that_too_few_join_gives_up()
    {
        var run = new Scenario(Rules(minimum: 2));
        run.Apply(new Arrived(1));
        Assert.Equal("", run.Wait(Rules().JoinTime - Tick));
        Assert.Equal(
            "give up (1 of 2 workers have joined within 60 seconds; start them with --coordinator, or set --min-workers or --join-timeout)",
            run.Wait(Tick)
        );
    }

    [Fact]
    public void A_run_that_enough_join_at_the_last_moment_does_not_give_up()
    {
        var run = new Scenario(Rules() with { ExpectsOthers = true });
        run.Wait(Rules().JoinTime - Tick);
        Assert.Equal("", run.Apply(new Arrived(1)));
        Assert.Equal("", run.Wait(Tick));
        Assert.Equal("view 1.1 of 1, state of 0 for 1 (1 workers are ready)", run.Wait(MembershipRules.LastCall));
    }

    [Fact]
    public void A_run_that_has_lost_all_workers_waits_for_others_and_gives_up()
    {
        var run = Trained(1);
        run.Wait(TimeSpan.FromMinutes(10));
        Assert.Equal("freeze 1.1 of nobody (1 has died); go back (1 has died)", run.Apply(Died(1)));
        Assert.Equal("", run.Wait(Rules().WaitTime - Tick));
        Assert.Equal("give up (every worker was lost, and none has come for 30 seconds; go on with --resume)", run.Wait(Tick));
    }

    [Fact]
    public void A_run_that_has_lost_all_workers_goes_on_with_the_next_one()
    {
        var run = Trained(1, 2, 3);
        run.Apply(Died(1), Died(2), Died(3));
        Assert.False(run.State.IsRunning);
        Assert.Equal("view 1.2 of 4, state of 0 for 4 (1 workers are ready)", run.Apply(new Arrived(4)));
    }

    [Fact]
    public void Those_who_wait_take_over_from_those_who_are_lost()
    {
        var run = Trained(1);
        run.Apply(new Arrived(2), new Arrived(3));
        Assert.Equal(
            "freeze 1.1 of nobody (1 has died); go back (1 has died); view 1.2 of 2, 3, state of 0 for 2, 3 (2 workers are ready)",
            run.Apply(Died(1))
        );
    }

    [Fact]
    public void A_run_goes_on_from_the_newest_state_that_workers_bring_along()
    {
        var run = new Scenario(Rules(minimum: 9));
        Assert.Equal("", run.Apply(new Arrived(1, 12), new Arrived(2, 17), new Arrived(3), new Arrived(4, 15)));
        Assert.Equal("", run.Wait(MembershipRules.ReturnCall - Tick));
        Assert.Equal(
            "go on after 17 (worker 2 holds the state); view 1.1 of 1, 2, 3, 4, state of 2 for 1, 3 (4 workers are ready)",
            run.Wait(Tick)
        );
    }

    [Fact]
    public void A_run_whose_members_are_all_back_goes_on_at_once()
    {
        var run = new Scenario(Rules(minimum: 9));
        Assert.Equal("", run.Apply(new Arrived(1, 12, MembersBefore: 3), new Arrived(2, 12, MembersBefore: 2), new Arrived(3)));
        Assert.Equal(
            "go on after 14 (worker 4 holds the state); view 1.1 of 1, 2, 3, 4, state of 4 for 3 (4 workers are ready)",
            run.Apply(new Arrived(4, 14, MembersBefore: 2))
        );
    }

    [Theory]
    [InlineData(14, false)]
    [InlineData(15, false)]
    [InlineData(17, true)]
    public void A_state_that_is_brought_along_counts_if_it_is_newer_than_the_coordinator_s(long brings, bool counts)
    {
        var run = new Scenario(Rules(minimum: 2));
        Assert.Equal("", run.Apply(new StateSaved(15), new StateSaved(6), new Arrived(1, brings)));
        Assert.Equal(
            counts ? "go on after 17 (worker 1 holds the state); view 1.1 of 1 (1 workers are ready)" : "",
            run.Wait(MembershipRules.ReturnCall)
        );
    }

    [Fact]
    public void A_run_begins_with_the_coordinator_s_state_if_none_is_newer()
    {
        var run = new Scenario(Rules());
        run.Apply(new StateSaved(15));
        Assert.Equal("view 1.1 of 1, state of 0 for 1 (1 workers are ready)", run.Apply(new Arrived(1, 14)));
    }

    [Fact]
    public void A_parameter_server_needs_no_state_of_a_worker()
    {
        var run = new Scenario(Rules(coordinatorHoldsState: true));
        run.Apply(new Arrived(1, 12));
        Assert.Equal("view 1.1 of 1, state of 0 for 1 (1 workers are ready)", run.Wait(MembershipRules.ReturnCall));
    }

    [Fact]
    public void One_that_waits_with_a_state_takes_over_if_all_others_are_lost()
    {
        var run = Trained(1);
        run.Apply(new Arrived(2, 9));
        run.Wait(MembershipRules.ReturnCall);
        Assert.Equal(
            "freeze 1.1 of nobody (1 has died); go back (1 has died); go on after 9 (worker 2 holds the state); "
                + "view 1.2 of 2 (1 workers are ready)",
            run.Apply(Died(1))
        );
    }

    [Fact]
    public void A_newcomer_fetches_the_state_though_it_holds_an_older_one()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3, 9));
        Assert.Equal("view 1.2 of 1, 2, 3, state of 1 for 3 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
    }

    // Nobody knows how it came about; the coordinator would lack the sums of what was done on the way.
    [Fact]
    public void What_a_newcomer_holds_counts_only_once_it_has_opened_a_view()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3, Position: null), new Boundary(5), Died(2));
        run.Apply(run.Stops(1, 12));
        Assert.Equal("go on after 12 (2 has died); view 1.3 of 1 (2 has died)", run.Apply(run.Stops(3, 30)));
    }

    [Fact]
    public void A_run_goes_back_to_the_coordinator_s_state_rather_than_on_from_an_older_one()
    {
        var run = Trained(1);
        run.Apply(new StateSaved(12), new Arrived(2, 9), new Boundary(5), Died(1));
        Assert.Equal("go back (1 has died); view 1.3 of 2, state of 0 for 2 (1 workers are ready)", run.Apply(run.Stops(2, 9)));
    }

    [Fact]
    public void A_newcomer_joins_when_it_reaches_all_that_are_there_and_is_reached_by_them()
    {
        var run = Trained(1, 2);
        run.IsOpenToAll = false;
        Assert.Equal("probe 3 with 1, 2", run.Apply(new Arrived(3)));
        Assert.Equal("probe 4 with 1, 2, 3", run.Apply(new Arrived(4)));
        run.Apply(Open(3, 1), Open(1, 3), Open(3, 2), Open(4, 1), Open(1, 4), Open(4, 2), Open(2, 4), Open(4, 3), Open(3, 4));
        Assert.Equal("view 1.2 of 1, 2, 4, state of 1 for 4 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
        Assert.False(run.State.WantsChange);
        run.Open();
        Assert.Equal(
            "view 1.3 of 1, 2, 4, 3, state of 1 for 3 (before step 6, 1 join and 0 leave)",
            run.Apply(Open(2, 3), new Boundary(6))
        );
    }

    [Theory]
    [InlineData(3, 1, "turn 3 away (3 to 1: no route)")]
    [InlineData(2, 3, "turn 3 away (2 to 3: no route)")]
    public void A_newcomer_that_others_do_not_reach_is_turned_away_and_never_a_member(int from, int to, string decision)
    {
        var run = Trained(1, 2);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3), new Probed(from, to, "no route"));
        run.Apply(new[] { Open(3, 1), Open(1, 3), Open(3, 2), Open(2, 3) }.Where(way => (way.Worker, way.Peer) != (from, to)));
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime - Tick));
        Assert.Equal("", run.Apply(new Boundary(5)));
        Assert.Equal(decision, run.Wait(Tick));
        Assert.Equal([1, 2], run.State.Participants.Keys);
        Assert.True(run.State.IsRunning);
    }

    [Fact]
    public void A_member_that_is_lost_while_a_newcomer_is_probed_says_nothing_against_it()
    {
        var run = Trained(1, 2);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3), Open(3, 1), Open(1, 3), new Probed(3, 2, "connection refused"));
        run.Lose(2, reached: 12);
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime));
        Assert.Equal("view 1.3 of 1, 3, state of 1 for 3 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
    }

    [Fact]
    public void A_newcomer_that_says_nothing_when_it_is_probed_is_turned_away()
    {
        var run = Trained(1);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3), Open(1, 3));
        Assert.Equal("", run.Wait(MembershipRules.ProbeTime - Tick));
        Assert.Equal("turn 3 away (3 to 1: it has not said within 10 seconds whether it does)", run.Wait(Tick));
    }

    [Fact]
    public void A_member_that_says_nothing_of_a_newcomer_does_not_block_it()
    {
        var run = Trained(1);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3), Open(3, 1));
        Assert.Equal("", run.Wait(MembershipRules.ProbeTime - Tick));
        Assert.False(run.State.WantsChange);
        Assert.Equal("", run.Wait(Tick));
        Assert.Equal("view 1.2 of 1, 3, state of 1 for 3 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
    }

    [Fact]
    public void A_run_does_not_stop_for_lack_of_workers_while_a_newcomer_is_probed()
    {
        var run = Trained(1);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3), new Leaving(1, IsUrgent: false));
        Assert.Equal("", run.Apply(new Boundary(5)));
        Assert.Equal(
            "view 1.2 of 1, 3, state of 1 for 3 (before step 6, 1 join and 0 leave)",
            run.Apply(Open(3, 1), Open(1, 3), new Boundary(6))
        );
    }

    [Fact]
    public void Newcomers_take_over_from_members_that_are_lost_before_they_have_been_probed()
    {
        var run = Trained(1);
        run.IsOpenToAll = false;
        run.Apply(new Arrived(3));
        Assert.EndsWith("view 1.2 of 3, state of 0 for 3 (1 workers are ready)", run.Apply(Died(1)), StringComparison.Ordinal);
        Assert.Equal("", run.Wait(MembershipRules.ProbeTime));
    }

    [Fact]
    public void Workers_of_a_parameter_server_need_not_reach_each_other()
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        run.IsOpenToAll = false;
        Assert.Equal("", run.Apply(new Arrived(3)));
        Assert.True(run.State.WantsChange);
    }

    [Fact]
    public void Newcomers_join_between_two_steps_and_come_last()
    {
        var run = Trained(1, 2);
        Assert.Equal("", run.Apply(new Arrived(3), new Arrived(4)));
        Assert.Equal("view 1.2 of 1, 2, 3, 4, state of 1 for 3, 4 (before step 5, 2 join and 0 leave)", run.Apply(new Boundary(5)));
        Assert.Equal("", run.Apply(new Boundary(6)));
    }

    [Fact]
    public void Newcomers_get_the_state_from_a_member_that_has_opened_its_view()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3), new Boundary(5));
        run.Apply(new Opened(2, run.State.Generation), new Arrived(4));
        Assert.Equal("view 1.3 of 1, 2, 3, 4, state of 2 for 4 (before step 6, 1 join and 0 leave)", run.Apply(new Boundary(6)));
        run.Apply(new Arrived(5));
        Assert.Equal("view 1.4 of 1, 2, 3, 4, 5, state of 1 for 5 (before step 7, 1 join and 0 leave)", run.Apply(new Boundary(7)));
    }

    [Fact]
    public void Those_who_leave_finish_what_they_were_granted()
    {
        var run = Trained(1, 2, 3);
        Assert.Equal("", run.Apply(new Leaving(2, IsUrgent: false)));
        Assert.Equal("", run.Apply(new Drained(2)));
        Assert.Equal("view 1.2 of 1, 3 (before step 5, 0 join and 1 leave)", run.Apply(new Boundary(5)));
        Assert.Equal(Standing.Draining, run.State.Participants[2].Standing);
        run.Open();
        Assert.Equal("release 2 (it was asked to leave)", run.Apply(new Drained(2)));
        Assert.Equal([1, 3], run.State.Participants.Keys);
    }

    [Fact]
    public void If_all_leave_while_others_join_they_stay_for_a_step_to_hand_the_state_over()
    {
        var run = Trained(2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), new Leaving(3, IsUrgent: false), new Arrived(4));
        Assert.Equal("view 1.2 of 2, 3, 4, state of 2 for 4 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
        run.Open();
        Assert.Equal("view 1.3 of 4 (before step 6, 0 join and 2 leave)", run.Apply(new Boundary(6)));
        run.Open();
        Assert.Equal("release 2 (it was asked to leave); release 3 (it was asked to leave)", run.Apply(new Drained(2), new Drained(3)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void If_all_leave_and_nobody_comes_the_run_stops(bool coordinatorHoldsState)
    {
        var run = Trained(coordinatorHoldsState, 1, 2);
        run.Apply(new Leaving(1, IsUrgent: false), new Leaving(2, IsUrgent: false));
        Assert.Equal("stop (every worker has asked to leave)", run.Apply(new Boundary(5)));
        Assert.True(run.State.IsRunning);
    }

    [Fact]
    public void A_worker_that_is_lost_while_it_waits_changes_nothing()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3));
        Assert.Equal("", run.Apply(Died(3)));
        Assert.False(run.State.WantsChange);
        Assert.Equal("", run.Apply(Died(9)));
    }

    [Theory]
    [InlineData(false, "freeze 1.2 of 1, 2, 4 (3 has died)")]
    [InlineData(true, "freeze 1.2 of 0, 1, 2, 4 (3 has died)")]
    public void A_lost_member_ends_the_views_of_all_who_may_be_in_one(bool coordinatorHoldsState, string decision)
    {
        var run = Trained(coordinatorHoldsState, 1, 2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), new Arrived(4), new Boundary(5), new Arrived(5));
        Assert.Equal(Standing.Draining, run.State.Participants[2].Standing);
        Assert.Equal(decision, run.Apply(Died(3)));
        Assert.False(run.State.IsRunning);
    }

    [Fact]
    public void A_lost_leaver_ends_the_views_too()
    {
        var run = Trained(1, 2);
        run.Apply(new Leaving(2, IsUrgent: false), new Boundary(5));
        Assert.Equal("freeze 1.2 of 1 (2 has died)", run.Apply(Died(2)));
    }

    [Fact]
    public void Nothing_is_planned_during_a_freeze()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Arrived(4), Died(3));
        Assert.Equal("", run.Apply(new Boundary(5), new SharedAnew(5, []), new Leaving(2, IsUrgent: true)));
    }

    [Fact]
    public void Only_answers_to_the_newest_freeze_count()
    {
        var run = Trained(1, 2, 3);
        var old = run.State.Generation;
        run.Apply(new Arrived(4), new Boundary(5), Died(3));
        Assert.Equal("", run.Apply(new Stopped(1, old, 12), new Stopped(2, old, 12), new Stopped(4, old, null)));
        Assert.Empty(run.State.Freezing!.Answers);
        Assert.Equal("", run.Apply(run.Stops(1, 12), run.Stops(3, 15), run.Stops(9, 15)));
        Assert.Equal([1], run.State.Freezing!.Answers.Keys);
    }

    [Theory]
    [InlineData(12, 12, "go on after 12 (3 has died); view 1.2 of 1, 2 (3 has died)")]
    [InlineData(12, 14, "go on after 14 (3 has died); view 1.2 of 1, 2 (3 has died)")]
    [InlineData(15, 12, "go on after 15 (3 has died); view 1.2 of 1, 2, state of 1 for 2 (3 has died)")]
    [InlineData(12, 15, "go on after 15 (3 has died); view 1.2 of 1, 2, state of 2 for 1 (3 has died)")]
    [InlineData(15, 14, "go on after 15 (3 has died); view 1.2 of 1, 2, state of 1 for 2 (3 has died)")]
    public void A_run_goes_on_from_the_newest_state_of_a_survivor(long first, long second, string decision)
    {
        var run = Trained(1, 2, 3);
        run.Apply(Died(3));
        Assert.Equal("", run.Apply(run.Stops(2, second)));
        Assert.Equal(decision, run.Apply(run.Stops(1, first)));
    }

    [Theory]
    [InlineData(15, 15, "go on after 15 (3 has died); view 1.2 of 1, 2 (3 has died)")]
    [InlineData(15, 12, "go on after 15 (3 has died); view 1.2 of 1, 2, state of 0 for 2 (3 has died)")]
    [InlineData(12, 14, "go on after 15 (3 has died); view 1.2 of 1, 2, state of 0 for 1, 2 (3 has died)")]
    public void A_run_with_a_parameter_server_goes_on_from_its_state(long first, long second, string decision)
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2, 3);
        run.Apply(Died(3));
        Assert.Equal("", run.Apply(run.Stops(1, first), run.Stops(2, second)));
        Assert.Equal(decision, run.Apply(run.Stops(0, 15)));
    }

    [Fact]
    public void A_parameter_server_that_has_lost_all_workers_keeps_its_state()
    {
        var run = Trained(coordinatorHoldsState: true, 1);
        Assert.Equal("freeze 1.1 of 0 (1 has died)", run.Apply(Died(1)));
        Assert.Equal("go on after 15 (1 has died)", run.Apply(run.Stops(0, 15)));
        Assert.Equal("view 1.2 of 2, state of 0 for 2 (1 workers are ready)", run.Apply(new Arrived(2)));
    }

    [Fact]
    public void What_a_newcomer_has_fetched_counts_though_it_says_so_during_a_freeze()
    {
        var run = Trained(1);
        run.Apply(new Arrived(2), new Boundary(5));
        run.Apply(Died(1), new Opened(2, run.State.Generation));
        Assert.Equal("go on after 12 (1 has died); view 1.3 of 2 (1 has died)", run.Apply(run.Stops(2, 12)));
    }

    [Fact]
    public void What_a_newcomer_has_fetched_in_the_view_before_the_newest_counts()
    {
        var run = Trained(1);
        run.Apply(new Arrived(2), new Boundary(5));
        var opened = new Opened(2, run.State.Generation);
        run.Apply(new Arrived(3), new Boundary(6), opened, Died(1));
        run.Apply(run.Stops(3, null));
        Assert.Equal("go on after 15 (1 has died); view 1.4 of 2 (1 has died)", run.Apply(run.Stops(2, 15)));
    }

    [Fact]
    public void A_member_that_was_behind_goes_on_from_its_own_state_if_its_source_is_lost_before_it_has_fetched()
    {
        var run = Trained(1, 2, 3);
        run.Apply(Died(3), run.Stops(1, 15), run.Stops(2, 12));
        Assert.Equal("freeze 1.2 of 2 (1 has died)", run.Apply(Died(1)));
        Assert.Equal("go on after 12 (1 has died); view 1.3 of 2 (1 has died)", run.Apply(run.Stops(2, 12)));
    }

    [Fact]
    public void Newcomers_without_the_state_wait_for_the_next_view()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3), new Boundary(5), Died(2));
        Assert.Equal("go on after 12 (2 has died); view 1.3 of 1 (2 has died)", run.Apply(run.Stops(3, null), run.Stops(1, 12)));
        Assert.Equal(Standing.Waiting, run.State.Participants[3].Standing);
        Assert.Equal("view 1.4 of 1, 3, state of 1 for 3 (before step 5, 1 join and 0 leave)", run.Apply(new Boundary(5)));
    }

    [Fact]
    public void If_nobody_holds_a_state_all_begin_anew_except_those_who_leave()
    {
        var run = new Scenario(Rules(minimum: 4));
        run.Apply(new Arrived(1), new Arrived(2), new Arrived(3), new Arrived(4));
        run.Apply(new Leaving(2, IsUrgent: false), Died(4), run.Stops(1, null), run.Stops(2, null));
        Assert.Equal(
            "go back (4 has died); release 2 (it was asked to leave); view 1.2 of 1, 3, state of 0 for 1, 3 (2 workers are ready)",
            run.Apply(run.Stops(3, null))
        );
    }

    [Fact]
    public void A_leaver_is_released_with_the_answers_to_a_freeze()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), Died(3), run.Stops(1, 15));
        Assert.Equal(
            "go on after 15 (3 has died); release 2 (it was asked to leave); view 1.2 of 1 (3 has died)",
            run.Apply(run.Stops(2, 12))
        );
    }

    [Fact]
    public void A_leaver_that_alone_holds_the_newest_state_stays_for_one_more_view()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), new Boundary(5));
        run.Apply(Died(3), run.Stops(1, 12));
        Assert.Equal("go on after 15 (3 has died); view 1.3 of 2, 1, state of 2 for 1 (3 has died)", run.Apply(run.Stops(2, 15)));
        Assert.Equal("view 1.4 of 1 (before step 6, 0 join and 1 leave)", run.Apply(new Boundary(6)));
        run.Open();
        Assert.Equal("release 2 (it was asked to leave)", run.Apply(new Drained(2)));
    }

    [Fact]
    public void The_last_leaver_hands_over_to_those_who_wait()
    {
        var run = Trained(1, 2);
        run.Apply(new Leaving(1, IsUrgent: false), new Leaving(2, IsUrgent: false), new Arrived(3), Died(1));
        Assert.Equal("go on after 15 (1 has died); view 1.2 of 2 (1 has died)", run.Apply(run.Stops(2, 15)));
        Assert.Equal("view 1.3 of 2, 3, state of 2 for 3 (before step 6, 1 join and 0 leave)", run.Apply(new Boundary(6)));
        Assert.Equal("view 1.4 of 3 (before step 7, 0 join and 1 leave)", run.Apply(new Boundary(7)));
    }

    [Fact]
    public void Leavers_of_a_parameter_server_hand_nothing_over()
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        run.Apply(new Leaving(2, IsUrgent: false), new Arrived(3), Died(1), run.Stops(2, 15));
        Assert.Equal(
            "go on after 15 (1 has died); release 2 (it was asked to leave); view 1.2 of 3, state of 0 for 3 (1 workers are ready)",
            run.Apply(run.Stops(0, 15))
        );
    }

    [Fact]
    public void The_last_leaver_of_a_parameter_server_stays_until_the_run_has_stopped()
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        run.Apply(new Leaving(2, IsUrgent: false), Died(1), run.Stops(2, 12));
        Assert.Equal("go on after 15 (1 has died); view 1.2 of 2, state of 0 for 2 (1 has died)", run.Apply(run.Stops(0, 15)));
        Assert.Equal("stop (every worker has asked to leave)", run.Apply(new Boundary(6)));
    }

    [Fact]
    public void Several_losses_share_a_freeze()
    {
        var run = Trained(1, 2, 3, 4, 5);
        Assert.Equal("freeze 1.1 of 1, 2, 3, 4 (5 has died)", run.Apply(Died(5)));
        Assert.Equal("", run.Apply(run.Stops(1, 12), Died(2), run.Stops(3, 15)));
        Assert.Equal("go on after 15 (5 has died); view 1.2 of 1, 3, state of 3 for 1 (5 has died)", run.Apply(Died(4)));
    }

    [Fact]
    public void What_the_lost_have_answered_does_not_count()
    {
        var run = Trained(1, 2, 3);
        run.Apply(Died(3), run.Stops(2, 15));
        Assert.Equal("", run.Apply(Died(2)));
        Assert.Equal("go on after 12 (3 has died); view 1.2 of 1 (3 has died)", run.Apply(run.Stops(1, 12)));
    }

    [Fact]
    public void Those_who_do_not_stop_in_time_are_expelled()
    {
        var run = Trained(1, 2, 3, 4);
        run.Wait(TimeSpan.FromMinutes(10));
        run.Apply(Died(4), run.Stops(1, 12));
        Assert.Equal("", run.Wait(MembershipRules.FreezeTime - Tick));
        Assert.Equal(
            "expel 2 (it has not stopped within 15 seconds (its computation hangs)); "
                + "expel 3 (it has not stopped within 15 seconds (its computation hangs)); "
                + "go on after 12 (4 has died); view 1.2 of 1 (4 has died)",
            run.Wait(Tick)
        );
    }

    [Fact]
    public void A_coordinator_that_does_not_stop_in_time_ends_the_run()
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        run.Apply(Died(2), run.Stops(1, 12));
        Assert.Equal(
            "give up (the coordinator: it has not stopped within 15 seconds (its computation hangs))",
            run.Wait(MembershipRules.FreezeTime)
        );
    }

    [Theory]
    [InlineData("1-2", "expel 2 (others do not reach it: no ping)")]
    [InlineData("2-1", "expel 2 (others do not reach it: no ping)")]
    [InlineData("1-2 2-1 1-3", "expel 1 (others do not reach it: no ping)")]
    [InlineData("1-2 3-4", "expel 4 (others do not reach it: no ping); expel 2 (others do not reach it: no ping)")]
    [InlineData("1-2 1-3 2-3", "expel 3 (others do not reach it: no ping); expel 2 (others do not reach it: no ping)")]
    [InlineData("1-4 2-4 3-4 1-2", "expel 4 (others do not reach it: no ping); expel 2 (others do not reach it: no ping)")]
    public void Of_members_that_do_not_reach_each_other_those_with_the_most_dead_links_go(string links, string decision)
    {
        var run = Trained(1, 2, 3, 4);
        foreach (var link in links.Split(' '))
            Assert.Equal("", run.Apply(run.Complains(link[0] - '0', link[2] - '0')));
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime - Tick));
        Assert.Equal("freeze 1.1 of 1, 2, 3, 4 (no ping)", run.Wait(Tick));
        Assert.Equal("", run.Apply(run.Stops(1, 12), run.Stops(2, 12), run.Stops(3, 12)));
        Assert.StartsWith($"{decision}; go on after 12 (no ping); view 1.2 of ", run.Apply(run.Stops(4, 12)), StringComparison.Ordinal);
        Assert.Null(run.State.DeadLinks);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_worker_that_does_not_reach_the_coordinator_goes(int worker, int peer)
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        run.Apply(run.Complains(worker, peer));
        Assert.Equal("freeze 1.1 of 0, 1, 2 (no ping)", run.Wait(MembershipRules.ComplaintTime));
        Assert.Equal(
            "expel 1 (others do not reach it: no ping); go on after 12 (no ping); view 1.2 of 2 (no ping)",
            run.Apply(run.Stops(0, 12), run.Stops(1, 12), run.Stops(2, 12))
        );
    }

    [Fact]
    public void Complaints_are_gathered_from_the_first_one_on()
    {
        var run = Trained(1, 2, 3);
        run.Apply(run.Complains(1, 2));
        run.Wait(MembershipRules.ComplaintTime - Tick);
        run.Apply(run.Complains(3, 2));
        Assert.Equal("freeze 1.1 of 1, 2, 3 (no ping)", run.Wait(Tick));
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime));
    }

    [Fact]
    public void Complaints_about_a_peer_that_is_lost_expel_nobody_else()
    {
        var run = Trained(1, 2, 3);
        run.Apply(run.Complains(1, 3), run.Complains(2, 3));
        Assert.Equal("freeze 1.1 of 1, 2 (3 has died)", run.Apply(Died(3)));
        Assert.Equal("go on after 12 (3 has died); view 1.2 of 1, 2 (3 has died)", run.Apply(run.Stops(1, 12), run.Stops(2, 12)));
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime));
    }

    [Fact]
    public void Complaints_are_judged_with_the_answers_to_any_freeze()
    {
        var run = Trained(1, 2, 3);
        run.Apply(run.Complains(1, 2), Died(3), run.Stops(1, 12));
        Assert.Equal(
            "expel 2 (others do not reach it: no ping); go on after 12 (3 has died); view 1.2 of 1 (3 has died)",
            run.Apply(run.Stops(2, 15))
        );
    }

    [Fact]
    public void Complaints_by_or_about_strangers_and_during_a_freeze_are_ignored()
    {
        var run = Trained(1, 2);
        run.Apply(new Arrived(3));
        run.Apply(
            run.Complains(1, 3),
            run.Complains(3, 1),
            run.Complains(1, 9),
            run.Complains(9, 1),
            run.Complains(1, 1),
            run.Complains(1, 0)
        );
        Assert.Null(run.State.DeadLinks);
        run.Apply(Died(3), new Leaving(2, IsUrgent: true), run.Complains(1, 2));
        Assert.Null(run.State.DeadLinks);
    }

    [Fact]
    public void A_complaint_of_a_view_that_goes_on_beside_the_newest_one_counts()
    {
        var run = Trained(1, 2);
        var complaint = run.Complains(1, 2);
        run.Apply(new Arrived(3), new Boundary(5), complaint);
        Assert.Equal("freeze 1.2 of 1, 2, 3 (no ping)", run.Wait(MembershipRules.ComplaintTime));
    }

    [Fact]
    public void A_complaint_of_a_view_that_is_over_is_ignored()
    {
        var run = Trained(1, 2, 3);
        var complaint = run.Complains(1, 2);
        run.Apply(Died(3), run.Stops(1, 12), run.Stops(2, 12));
        Assert.Equal("", run.Apply(complaint));
        Assert.Equal("", run.Wait(MembershipRules.ComplaintTime));
    }

    [Fact]
    public void Nothing_is_planned_while_complaints_are_gathered()
    {
        var run = Trained(1, 2);
        run.Apply(run.Complains(1, 2));
        Assert.Equal("", run.Apply(new SharedAnew(5, []), new Arrived(3), new Boundary(5)));
    }

    [Fact]
    public void A_step_that_kills_a_worker_that_takes_it_three_times_ends_the_run()
    {
        var run = Trained(1, 2, 3, 4);
        run.Lose(4, reached: 12);
        run.Lose(3, reached: 12);
        Assert.Equal(
            "give up because of 2 (step 5 has lost a worker 3 times in a row, which is no accident); freeze 1.3 of 1 (2 has died)",
            run.Apply(Died(2, reached: 12))
        );
    }

    [Theory]
    [InlineData(new[] { 0, 2, 2, 4, 4, 8 }, false)] // what is left of a view of three
    [InlineData(new[] { 0, 2, 0, 4, 4, 8 }, false)]
    [InlineData(new[] { 4, 6, 3, 5, 4, 8 }, true)]
    [InlineData(new[] { 0, 2, 6, 8, 0, 4, 1, 3 }, true)] // accidents between them excuse nothing
    [InlineData(new[] { 3, 3, 3, 3, 3, 3 }, true)] // without any microbatch
    [InlineData(new[] { 0, 3, 3, 3, 3, 4 }, false)]
    public void Deaths_of_one_step_are_no_accident_if_a_microbatch_is_common_to_three(int[] parts, bool ends)
    {
        var run = Trained([.. Enumerable.Range(1, (parts.Length / 2) + 1)]);
        var dead = (parts.Length / 2) + 1;
        for (var i = 0; i < parts.Length - 2; i += 2)
            run.Lose(dead--, reached: 12, part: (parts[i], parts[i + 1]));
        var effects = run.Apply(Died(dead, reached: 12) with { Part = (parts[^2], parts[^1]) });
        Assert.Equal(ends, effects.StartsWith("give up because of", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("another step")]
    [InlineData("a worker that waits")]
    public void Where_workers_die_elsewhere_too_more_deaths_of_one_step_are_accidents(string where)
    {
        const int most = MembershipRules.MostLossesAmongAccidents;
        const int newcomer = most + 4;
        var run = Trained([.. Enumerable.Range(1, most + 2)]);
        if (where == "another step")
            run.Lose(most + 2, reached: 9);
        else
            run.Apply(new Arrived(newcomer));
        if (where == "a worker that waits")
            run.Apply(Died(newcomer));
        for (var dead = 1; dead < most; dead++)
            run.Lose(dead, reached: 12);
        var effects = run.Apply(Died(most, reached: 12));
        Assert.StartsWith($"give up because of {most} (step 5 has lost a worker {most} times", effects, StringComparison.Ordinal);
    }

    /// <summary>What is reported when a worker dies lags behind what it has done, by as much as is granted.</summary>
    [Theory]
    [InlineData(new[] { 3, 30, 12, 39, 6, 33 }, true)]
    [InlineData(new[] { 3, 12, 12, 21, 0, 12 }, true)]
    [InlineData(new[] { 3, 9, 12, 21, 12, 21 }, false)]
    [InlineData(new[] { 3, 12, 9, 18, 15, 24 }, false)]
    public void Deaths_are_of_one_step_if_all_may_have_come_to_it(int[] positions, bool ends)
    {
        var run = Trained(1, 2, 3, 4);
        run.Lose(4, positions[0], granted: positions[1]);
        run.Lose(3, positions[2], granted: positions[3]);
        var effects = run.Apply(Died(2, positions[4]) with { Granted = positions[5] });
        Assert.Equal(ends, effects.StartsWith("give up because of", StringComparison.Ordinal));
    }

    [Fact]
    public void Progress_between_deaths_shows_that_they_are_accidents()
    {
        var run = Trained(1, 2, 3, 4, 5);
        run.Lose(5, reached: 12);
        run.Lose(4, reached: 12);
        run.Lose(3, reached: 15);
        Assert.Equal("freeze 1.4 of 1 (2 has died)", run.Apply(Died(2, reached: 15)));
    }

    [Fact]
    public void Losses_by_silence_are_not_the_step_s_fault()
    {
        var run = Trained(1, 2, 3, 4);
        run.Lose(4, reached: 12);
        run.Lose(3, reached: 12);
        Assert.Equal("freeze 1.3 of 1 (2 is silent)", run.Apply(new Lost(2, "2 is silent", IsDeath: false, Reached: 12)));
    }

    [Fact]
    public void Those_who_die_before_they_have_opened_their_view_are_not_the_step_s_fault()
    {
        var run = Trained(1, 2, 3, 4);
        run.Lose(4, reached: 12);
        run.Lose(3, reached: 12);
        run.Apply(new Arrived(5), new Boundary(5), new Opened(1, run.State.Generation));
        Assert.Equal("freeze 1.4 of 1, 5 (2 has died)", run.Apply(Died(2, reached: 12)));
    }

    [Fact]
    public void Deaths_during_a_freeze_count_once()
    {
        var run = Trained(1, 2, 3, 4);
        Assert.Equal("freeze 1.1 of 1, 2, 3 (4 has died)", run.Apply(Died(4), Died(3), Died(2)));
        Assert.Equal((12, 1), (run.State.Losses.Reached, run.State.Losses.Parts.Count));
    }

    [Fact]
    public void A_worker_that_cannot_wait_for_what_it_was_granted_ends_the_views()
    {
        var run = Trained(1, 2);
        Assert.Equal(
            "freeze 1.1 of 1, 2 (worker 2 was asked to leave, and cannot wait for what it was granted)",
            run.Apply(new Leaving(2, IsUrgent: true))
        );
        Assert.Equal(
            "go on after 12 (worker 2 was asked to leave, and cannot wait for what it was granted); release 2 (it was asked to leave); "
                + "view 1.2 of 1 (worker 2 was asked to leave, and cannot wait for what it was granted)",
            run.Apply(run.Stops(1, 12), run.Stops(2, 12))
        );
    }

    [Fact]
    public void New_shares_are_a_new_view_of_the_same_members()
    {
        var run = Trained(2, 3);
        Assert.Equal("view 1.2 of 2, 3 (new shares from step 5 on)", run.Apply(new SharedAnew(5, [])));
        run.Apply(new Arrived(4));
        Assert.Equal("", run.Apply(new SharedAnew(6, [])));
    }

    [Fact]
    public void What_is_said_twice_changes_nothing()
    {
        var run = Trained(1, 2, 3, 4, 5);
        run.Twice(new Arrived(6));
        run.Twice(new Leaving(5, IsUrgent: false));
        run.Twice(new Opened(1, run.State.Generation));
        run.Twice(new Boundary(5));
        run.Open();
        run.Twice(new Drained(5));
        run.Twice(new SharedAnew(6, []), isDecision: true);
        run.Open();
        run.Twice(run.Complains(1, 2));
        run.Twice(Died(4));
        run.Twice(run.Stops(1, 15));
        run.Twice(run.Stops(2, 15));
        run.Twice(run.Stops(6, 15));
        run.Twice(run.Stops(3, 15));
        Assert.Equal([1, 3, 6], run.State.View);
        run.Twice(new TimePassed());
        run.Twice(
            new Disagreed(
                [
                    [6],
                    [1, 3],
                ],
                "6 differs"
            )
        );
    }

    // If it were released at once, nothing would end the freeze before the time for answers is over.
    [Fact]
    public void A_leaver_whose_reports_arrive_during_a_freeze_is_released_with_the_answers()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), new Boundary(5));
        run.Apply(Died(3), run.Stops(1, 12), new Drained(2), run.Stops(2, 12));
        Assert.Equal([1], run.State.Participants.Keys);
        Assert.True(run.State.IsRunning);
    }

    // If it were released at once, the run would go back to the last checkpoint.
    [Fact]
    public void A_leaver_whose_reports_arrive_during_a_freeze_stays_if_it_alone_holds_the_state()
    {
        var run = Trained(1, 2);
        run.Apply(new Leaving(2, IsUrgent: false), new Arrived(3), new Boundary(5), Died(1), new Drained(2));
        Assert.Equal("", run.Apply(run.Stops(3, null)));
        Assert.Equal("go on after 12 (1 has died); view 1.3 of 2 (1 has died)", run.Apply(run.Stops(2, 12)));
    }

    // One that is granted nothing in its last view is drained as soon as that begins.
    [Fact]
    public void A_leaver_that_others_fetch_the_state_from_is_not_released_before_they_have_it()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Leaving(2, IsUrgent: false), new Boundary(5));
        run.Apply(Died(3), run.Stops(1, 12), run.Stops(2, 15), new Boundary(6));
        Assert.Equal("", run.Apply(new Drained(2)));
        run.Open();
        Assert.Equal("release 2 (it was asked to leave)", run.Apply(new Drained(2)));
    }

    [Fact]
    public void A_strict_majority_names_those_who_differ_and_all_go_back_to_what_was_agreed_on()
    {
        var run = Trained(1, 2, 3);
        Assert.Equal(
            "expel 2 for good (2 differs); freeze 1.1 of 1, 3 (2 differs)",
            run.Apply(
                new Disagreed(
                    [
                        [2],
                        [1, 3],
                    ],
                    "2 differs"
                ),
                new Disagreed(
                    [
                        [2],
                        [1, 3],
                    ],
                    "2 differs"
                )
            )
        );
        Assert.Equal(
            "roll back to lineage 1 (2 differs); view 1.2 of 1, 3, state of 0 for 1, 3 (2 workers are ready)",
            run.Apply(run.Stops(1, 12), run.Stops(3, 15))
        );
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Without_a_majority_nobody_is_named_and_the_second_time_ends_the_run(int workers)
    {
        int[] members = [.. Enumerable.Range(1, workers)];
        var run = Trained(members);
        IReadOnlyList<IReadOnlyList<int>> camps =
        [
            [.. members.Take(workers / 2)],
            [.. members.Skip(workers / 2)],
        ];
        Assert.Equal($"freeze 1.1 of {List(members)} (they differ)", run.Apply(new Disagreed(camps, "they differ")));
        run.Apply(members.Select(worker => run.Stops(worker, 8)).ToList());
        Assert.Equal(members, run.State.View);
        run.Open();
        run.Apply(new StateSaved(30));
        Assert.Equal(
            "give up (they differ, once more, and no majority says whose state is wrong: "
                + "the memory or the processor of a machine is at fault; keep the run folder)",
            run.Apply(new Disagreed(camps, "they differ"))
        );
    }

    [Fact]
    public void A_run_that_always_goes_back_to_the_same_state_ends()
    {
        var run = Trained(1, 2, 3);
        for (var time = 1; time <= MembershipRules.MostRollBacks; time++)
        {
            run.Apply(
                new Disagreed(
                    [
                        [run.State.View[0]],
                        [.. run.State.View.Skip(1)],
                    ],
                    "one differs"
                ),
                new Arrived(10 + time)
            );
            run.Apply(run.State.Engaged.Select(one => run.Stops(one.Worker, 8)).ToList());
            Assert.Equal(3, run.State.View.Count);
            run.Open();
        }

        Assert.StartsWith(
            "give up (one differs, though the run has gone back several times",
            run.Apply(
                new Disagreed(
                    [
                        [run.State.View[0]],
                        [.. run.State.View.Skip(1)],
                    ],
                    "one differs"
                )
            ),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_a_worker_brings_of_an_earlier_lineage_does_not_count()
    {
        var run = Trained(1, 2, 3);
        run.Apply(new Arrived(4, 45));
        run.Apply(
            new Disagreed(
                [
                    [2],
                    [1, 3],
                ],
                "2 differs"
            ),
            run.Stops(1, 12)
        );
        Assert.Equal(
            "roll back to lineage 1 (2 differs); view 1.2 of 1, 3, 4, state of 0 for 1, 3, 4 (3 workers are ready)",
            run.Apply(run.Stops(3, 12))
        );
        run.Apply(Died(1, 1), Died(3, 1), Died(4, 1), new Arrived(6, 30, Lineage: 1), new Arrived(5, 60));
        Assert.Equal(
            "go on after 30 (worker 6 holds the state); view 1.3 of 5, 6, state of 6 for 5 (2 workers are ready)",
            run.Wait(MembershipRules.ReturnCall)
        );
    }

    // A deviating coordinator cannot be replaced, and its workers hold no moments.
    [Fact]
    public void A_parameter_server_that_differs_from_its_workers_goes_back_once()
    {
        var run = Trained(coordinatorHoldsState: true, 1, 2);
        Assert.Equal(
            "freeze 1.1 of 0, 1, 2 (they differ)",
            run.Apply(
                new Disagreed(
                    [
                        [0],
                        [1, 2],
                    ],
                    "they differ"
                )
            )
        );
        Assert.Equal(
            "roll back to lineage 1 (they differ); view 1.2 of 1, 2, state of 0 for 1, 2 (2 workers are ready)",
            run.Apply(run.Stops(0, 12), run.Stops(1, 12), run.Stops(2, 12))
        );
        Assert.Equal(
            "expel 2 for good (2 differs); freeze 1.2 of 0, 1 (2 differs)",
            run.Apply(
                new Disagreed(
                    [
                        [2],
                        [0, 1],
                    ],
                    "2 differs"
                )
            )
        );
    }

    [Fact]
    public void States_may_differ_while_a_loss_is_handled()
    {
        var run = Trained(1, 2, 3, 4);
        run.Apply(Died(4), run.Stops(1, 12));
        Assert.Equal(
            "expel 3 for good (3 differs)",
            run.Apply(
                new Disagreed(
                    [
                        [3],
                        [1, 2],
                    ],
                    "3 differs"
                )
            )
        );
        Assert.Equal(
            "roll back to lineage 1 (4 has died); view 1.2 of 1, 2, state of 0 for 1, 2 (2 workers are ready)",
            run.Apply(run.Stops(2, 12))
        );
    }

    [Fact]
    public void No_history_loses_what_a_survivor_holds_or_stops_the_run()
    {
        var seen = new int[Enum.GetValues<Sight>().Length];
        Histories.Sample(
            history =>
            {
                var sights = SimulatedMembership.Run(history);
                for (var sight = 0; sight < seen.Length; sight++)
                    Interlocked.Add(ref seen[sight], sights[sight]);
            },
            iter: 5000,
            print: SimulatedMembership.Log
        );
        foreach (var sight in Enum.GetValues<Sight>())
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{seen[(int)sight], 8} {sight}");
            Assert.True(seen[(int)sight] > 0 || sight == Sight.SumsLost, $"no history has come across {sight}");
        }
    }

    /// <summary>A decision in words, with its reason.</summary>
    internal static string Text(MembershipEffect effect) =>
        effect switch
        {
            FreezeViews freeze => $"freeze {freeze.Generation} of {List(freeze.Workers)} ({freeze.Reason})",
            GoOnAfter { Position: { } position } after => string.Create(
                CultureInfo.InvariantCulture,
                $"go on after {position} ({after.Reason})"
            ),
            GoOnAfter back => $"go back ({back.Reason})",
            RollBack back => $"roll back to lineage {back.Lineage} ({back.Reason})",
            BeginView { Lacking.Count: 0 } begin => $"view {begin.Generation} of {List(begin.Workers)} ({begin.Reason})",
            BeginView begin =>
                $"view {begin.Generation} of {List(begin.Workers)}, state of {begin.Source} for {List(begin.Lacking.Order())} ({begin.Reason})",
            ProbeWorker probe => $"probe {probe.Worker} with {List(probe.Peers)}",
            TurnAway turned => $"turn {turned.Worker} away ({turned.Way.From} to {turned.Way.To}: {turned.Reason})",
            ReleaseWorker release => $"release {release.Worker} ({release.Reason})",
            ExpelWorker { MayReturn: false } expel => $"expel {expel.Worker} for good ({expel.Reason})",
            ExpelWorker expel => $"expel {expel.Worker} ({expel.Reason})",
            StopForLack stop => $"stop ({stop.Reason})",
            GiveUpRun { Worker: { } worker } giveUp => $"give up because of {worker} ({giveUp.Reason})",
            GiveUpRun giveUp => $"give up ({giveUp.Reason})",
            _ => throw new ArgumentOutOfRangeException(nameof(effect)),
        };

    private static string List(IEnumerable<int> workers) => string.Join(", ", workers) is { Length: > 0 } list ? list : "nobody";

    private static MembershipRules Rules(int minimum = 1, bool coordinatorHoldsState = false) =>
        new(minimum, ExpectsOthers: false, coordinatorHoldsState, JoinTime: TimeSpan.FromSeconds(60), WaitTime: TimeSpan.FromSeconds(30));

    private static Probed Open(int worker, int peer) => new(worker, peer, Cause: null);

    private static Lost Died(int worker, long reached = 12) => new(worker, $"{worker} has died", IsDeath: true, reached);

    private static Scenario Trained(params int[] workers) => Trained(coordinatorHoldsState: false, workers);

    /// <summary>A run whose first view has these members, who have all opened it.</summary>
    private static Scenario Trained(bool coordinatorHoldsState, params int[] workers)
    {
        var run = new Scenario(Rules(workers.Length, coordinatorHoldsState));
        foreach (var worker in workers)
            run.Apply(new Arrived(worker));
        Assert.Equal(workers, run.State.View);
        run.Open();
        return run;
    }

    /// <summary>A run that is told what happens.</summary>
    private sealed class Scenario(MembershipRules rules)
    {
        private TimeSpan _now;

        public MembershipState State { get; private set; } = MembershipState.Empty(1, saved: 2);

        /// <summary>Whether newcomers and those that are there find at once that they reach each other.</summary>
        public bool IsOpenToAll { get; set; } = true;

        /// <summary>Tells what has happened, and returns what is decided.</summary>
        public string Apply(params IEnumerable<MembershipEvent> events)
        {
            var decisions = new List<string>();
            foreach (var happened in events)
            {
                (State, var effects) = MembershipReducer.Apply(State, happened, _now, rules);
                decisions.AddRange(effects.Where(effect => !IsOpenToAll || effect is not ProbeWorker).Select(Text));
                if (IsOpenToAll)
                    decisions.AddRange(effects.OfType<ProbeWorker>().Select(probe => Apply(Reached(probe))).Where(text => text.Length > 0));
            }

            return string.Join("; ", decisions);
        }

        public string Wait(TimeSpan time)
        {
            _now += time;
            return Apply(new TimePassed());
        }

        /// <summary>All members open the newest view.</summary>
        public void Open() => Apply(State.View.Select(worker => new Opened(worker, State.Generation)).ToList());

        /// <summary>Says something twice.</summary>
        /// <param name="said">What.</param>
        /// <param name="isDecision">Whether it is one of the coordinator's own, which it does not take twice.</param>
        public void Twice(MembershipEvent said, bool isDecision = false)
        {
            Apply(said);
            if (isDecision)
                return;
            var before = Describe();
            Assert.Equal("", Apply(said));
            Assert.Equal(before, Describe());
        }

        /// <summary>A member dies, and the others go on without it.</summary>
        public void Lose(int worker, long reached, (int, int)? part = null, long? granted = null)
        {
            Apply(Died(worker, reached) with { Part = part, Granted = granted });
            Apply(State.Engaged.Select(one => Stops(one.Worker, reached)).ToList());
            Assert.True(State.IsRunning);
            Open();
        }

        /// <summary>A newcomer and those that are there reach each other.</summary>
        public static IEnumerable<MembershipEvent> Reached(ProbeWorker probe) =>
            probe.Peers.SelectMany(peer =>
                new[] { new Probed(probe.Worker, peer, Cause: null), new Probed(peer, probe.Worker, Cause: null) }
            );

        public Stopped Stops(int worker, long? position) => new(worker, State.Generation, position);

        public Complained Complains(int worker, int peer) => new(worker, peer, State.Generation, "no ping");

        private string Describe() =>
            $"{State.Generation} {List(State.View)} {string.Join(' ', State.Participants.Values)} {State.Freezing?.Cause} "
            + $"{string.Join(' ', State.Freezing?.Answers.Keys ?? [])} {string.Join(' ', State.DeadLinks?.Links.ToList() ?? [])} {State.Losses.Reached} {string.Join(' ', State.Losses.Parts)} {State.Lineage} {State.Disputes}";
    }
}
