using System.Collections.Immutable;
using System.Globalization;
using Distributed.Collectives;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>
/// Decides who takes part in a run, and from which position on: a pure function of what has happened. The coordinator tells it what it
/// learns, and does what it says.
/// </summary>
/// <remarks>
/// <para>
/// Why nothing is lost. Members of a view exchange in every step, so that one that completes step s + 1 has had a contribution of every
/// other one, each made after step s was complete there: members are at most one step apart. A freeze ends the view everywhere, also for
/// those who have not entered it yet. When all have answered, the highest position r that a survivor has completed is known, its state
/// lies whole in a survivor, and nothing beyond r can have been completed by another, since the view is over for all. The next view
/// begins after r, and those behind fetch that state.
/// </para>
/// <para>
/// A step counts as recorded once every member of its view has said that it is complete, or once it is known after a freeze. Should the only
/// one that holds r be lost before another has fetched it, the step before is what is left; it is done again, to the same bits.
/// </para>
/// </remarks>
internal static class MembershipReducer
{
    /// <summary>Takes in something that has happened.</summary>
    /// <param name="state">What was known before.</param>
    /// <param name="happened">The event.</param>
    /// <param name="now">The time, from any beginning.</param>
    /// <param name="rules">What else decides.</param>
    /// <returns>What is known now, and what is to be done, in this order.</returns>
    public static (MembershipState State, IReadOnlyList<MembershipEffect> Effects) Apply(
        MembershipState state,
        MembershipEvent happened,
        TimeSpan now,
        MembershipRules rules
    )
    {
        var transition = new Transition(state, now, rules);
        transition.Take(happened);
        return (transition.State, transition.Effects);
    }

    private static readonly string Unanswered = string.Create(
        CultureInfo.InvariantCulture,
        $"it has not said within {MembershipRules.ProbeTime.TotalSeconds:0} seconds whether it does"
    );

    private sealed class Transition(MembershipState state, TimeSpan now, MembershipRules rules)
    {
        public MembershipState State { get; private set; } = state;

        public List<MembershipEffect> Effects { get; } = [];

        public void Take(MembershipEvent happened)
        {
            switch (happened)
            {
                case Arrived arrived:
                    Take(arrived);
                    break;
                case Leaving leaving:
                    Take(leaving);
                    break;
                case Lost lost:
                    Lose(lost);
                    break;
                case Complained complained:
                    Take(complained);
                    break;
                case Opened opened when opened.Generation > State.Over && State.Participants.TryGetValue(opened.Worker, out var one):
                    Set(one with { HasOpened = one.HasOpened || opened.Generation == State.Generation, HasState = true, Brings = null });
                    break;
                case Stopped stopped:
                    Take(stopped);
                    break;
                case Disagreed disagreed:
                    Take(disagreed);
                    break;
                case Probed probed:
                    Take(probed);
                    break;
                case StateSaved saved:
                    State = State with { Saved = Math.Max(State.Saved, saved.Position) };
                    break;
                case Drained { Worker: var worker } when State.Freezing is null && StandingOf(worker) == Standing.Draining && IsOpen():
                    Let(worker, "it was asked to leave");
                    break;
                case Boundary boundary when State.IsRunning && State.DeadLinks is null && State.WantsChange:
                    Change(boundary.NextStep);
                    break;
                case SharedAnew shared when State is { IsRunning: true, DeadLinks: null, WantsChange: false }:
                    Form(
                        State.View,
                        MembershipState.Coordinator,
                        ImmutableHashSet<int>.Empty,
                        string.Create(CultureInfo.InvariantCulture, $"new shares from step {shared.NextStep} on"),
                        shared.Shares
                    );
                    break;
                case TimePassed:
                    CheckComplaints();
                    CheckProbes();
                    CheckFreeze();
                    CheckWaiting();
                    break;
            }
        }

        private void Take(Arrived arrived)
        {
            if (State.Participants.ContainsKey(arrived.Worker))
                return;
            var brings = arrived.Lineage == State.Lineage ? arrived.Position : null;
            var peers = PeersToProbe();
            var ways = peers.SelectMany(peer => new[] { (arrived.Worker, peer), (peer, arrived.Worker) });
            Set(
                new Participant(arrived.Worker, Standing.Waiting, IsLeaving: false, HasOpened: false, HasState: false, brings)
                {
                    MembersBefore = arrived.MembersBefore,
                    Ways = ways.ToImmutableSortedDictionary(way => way, _ => new ProbedWay(now, Cause: null)),
                }
            );
            State = State with { LastArrival = now };
            if (peers.Count > 0)
                Effects.Add(new ProbeWorker(arrived.Worker, peers, "all that are there and a newcomer have to reach each other"));
            CheckWaiting();
        }

        // The first view has nobody to protect, and to try all pairs would take n^2 messages: there, members that do not reach each other
        // complain. Workers of a parameter server do not reach out to each other. One that leaves may have to stay for one more view.
        private List<int> PeersToProbe() => rules.CoordinatorHoldsState || State.View.Count == 0 ? [] : [.. State.Participants.Keys];

        private void Take(Probed probed)
        {
            var way = (probed.Worker, probed.Peer);
            foreach (var end in new[] { probed.Worker, probed.Peer })
            {
                if (State.Participants.TryGetValue(end, out var one) && one.Ways.TryGetValue(way, out var known) && known.Cause is null)
                    Set(one with { Ways = Answered(one.Ways, way, probed.Cause) });
            }
        }

        private ImmutableSortedDictionary<(int From, int To), ProbedWay> Answered(
            ImmutableSortedDictionary<(int From, int To), ProbedWay> ways,
            (int, int) way,
            string? cause
        ) => cause is null ? ways.Remove(way) : ways.SetItem(way, new ProbedWay(now, cause));

        // A peer that has died is known by other means soon, and then says nothing against the newcomer.
        private void CheckProbes()
        {
            foreach (var one in State.Participants.Values.Where(one => !one.Ways.IsEmpty).ToList())
            {
                var ripe = one.Ways.Where(way => now - way.Value.Since >= TimeFor(way.Value)).ToList();
                var closed = ripe.Find(way =>
                    State.IsBetweenPresent(way.Key) && (way.Value.Cause is not null || way.Key.From == one.Worker)
                );
                if (closed.Value is not null)
                    TurnAway(one.Worker, closed.Key, closed.Value.Cause ?? Unanswered);
                else if (ripe.Count > 0) // a peer that does not answer says nothing
                    Set(one with { Ways = one.Ways.RemoveRange(ripe.Select(way => way.Key)) });
            }
        }

        private void TurnAway(int worker, (int, int) way, string reason)
        {
            State = State with { Participants = State.Participants.Remove(worker) };
            Effects.Add(new TurnAway(worker, way, reason));
        }

        private static TimeSpan TimeFor(ProbedWay way) => way.Cause is null ? MembershipRules.ProbeTime : MembershipRules.ComplaintTime;

        private void Take(Leaving leaving)
        {
            if (!State.Participants.TryGetValue(leaving.Worker, out var one) || one.IsLeaving)
                return;
            if (one.Standing == Standing.Waiting)
            {
                Let(leaving.Worker, "it was asked to leave");
                return;
            }

            Set(one with { IsLeaving = true });
            if (leaving.IsUrgent && State.IsRunning)
                Freeze($"worker {leaving.Worker} was asked to leave, and cannot wait for what it was granted");
        }

        private void Lose(Lost lost)
        {
            if (!State.Participants.TryGetValue(lost.Worker, out var one))
                return;
            State = State with { Participants = State.Participants.Remove(lost.Worker) };
            if (lost.IsDeath && one.Standing == Standing.Waiting)
                State = State with { Losses = State.Losses with { AreAmongAccidents = true } };
            if (one.Standing == Standing.Waiting)
                return;
            if (lost.IsDeath && one is { Standing: Standing.Member, HasOpened: true } && State.Freezing is null)
                Count(lost);
            if (State.Freezing is null)
                Freeze(lost.Cause);
            else
                CompleteFreeze();
        }

        private void Count(Lost lost)
        {
            State = State with { Losses = State.Losses.And(lost) };
            if (!State.Losses.AreNoAccident)
                return;
            var step = string.Create(CultureInfo.InvariantCulture, $"{Positions.StepAt(State.Losses.Reached) + 1}");
            Effects.Add(
                new GiveUpRun($"step {step} has lost a worker {State.Losses.Parts.Count} times in a row, which is no accident", lost.Worker)
            );
        }

        // A peer that died is known by the end of its session; what is left are links.
        private void Take(Complained complained)
        {
            if (
                !State.IsRunning
                || complained.Generation <= State.Over
                || !IsEngaged(complained.Worker)
                || !IsEngaged(complained.Peer)
                || complained.Worker == complained.Peer
            )
            {
                return;
            }

            var dead = State.DeadLinks ?? new DeadLinks(now, complained.Cause, []);
            var link = (Math.Min(complained.Worker, complained.Peer), Math.Max(complained.Worker, complained.Peer));
            State = State with { DeadLinks = dead with { Links = dead.Links.Add(link) } };
        }

        private void Take(Stopped stopped)
        {
            if (State.Freezing is not { } freezing || stopped.Generation != State.Generation || !IsEngaged(stopped.Worker))
                return;
            State = State with { Freezing = freezing with { Answers = freezing.Answers.SetItem(stopped.Worker, stopped.Position) } };
            CompleteFreeze();
        }

        // A strict majority is right, as far as anybody can tell. The state that the minority has contributed to is wrong for all.
        private void Take(Disagreed disagreed)
        {
            if (State.View.Count == 0 || State.Freezing is { IsRollBack: true })
                return;
            var majority = disagreed.Camps.MaxBy(camp => camp.Count)!;
            var isNamed =
                2 * majority.Count > disagreed.Camps.Sum(camp => camp.Count)
                && (!rules.CoordinatorHoldsState || majority.Contains(MembershipState.Coordinator));
            if (!Count(disagreed, isNamed))
                return;
            var deviators = isNamed ? disagreed.Camps.Where(camp => camp != majority).SelectMany(camp => camp) : [];
            foreach (var worker in deviators.Where(IsEngaged))
                Remove(worker, disagreed.Cause, mayReturn: false);
            if (State.Freezing is not { } freezing)
            {
                Freeze(disagreed.Cause, isRollBack: true);
                return;
            }

            State = State with { Freezing = freezing with { IsRollBack = true } };
            CompleteFreeze();
        }

        private bool Count(Disagreed disagreed, bool isNamed)
        {
            var before = State.Disputes;
            var unnamed = before.Unnamed + (isNamed ? 0 : 1);
            var times = before.Saved == State.Saved ? before.Times + 1 : 1;
            State = State with { Disputes = new Disputes(unnamed, State.Saved, times) };
            var isEnd = isNamed ? times > MembershipRules.MostRollBacks : unnamed > MembershipRules.MostUnnamedDisputes;
            if (isEnd)
            {
                var finding = isNamed
                    ? "though the run has gone back several times"
                    : "once more, and no majority says whose state is wrong";
                Effects.Add(
                    new GiveUpRun(
                        $"{disagreed.Cause}, {finding}: the memory or the processor of a machine is at fault; keep the run folder"
                    )
                );
            }

            return !isEnd;
        }

        private void CheckComplaints()
        {
            if (State is { IsRunning: true, DeadLinks: { } dead } && now - dead.Since >= MembershipRules.ComplaintTime)
                Freeze(dead.Cause);
        }

        private void CheckFreeze()
        {
            if (State.Freezing is not { } freezing || now - freezing.Since < MembershipRules.FreezeTime)
                return;
            foreach (var worker in Awaited(freezing))
            {
                var late = $"it has not stopped within {MembershipRules.FreezeTime.TotalSeconds:0} seconds (its computation hangs)";
                if (worker == MembershipState.Coordinator)
                    Effects.Add(new GiveUpRun($"the coordinator: {late}"));
                else
                    Remove(worker, late);
            }

            CompleteFreeze();
        }

        // Without a view: the first one waits for enough workers, a later one for any.
        private void CheckWaiting()
        {
            if (State.View.Count > 0 || State.Freezing is not null)
                return;
            var ready = State.Participants.Values.Where(one => !one.IsLeaving).ToList();
            var isReturn = ready.Exists(one => one.Brings > State.Saved);
            if (ready.Count >= (State.HasTrained || isReturn ? 1 : rules.MinimumWorkers))
            {
                if (now - State.LastArrival >= LastCall(ready, isReturn))
                    Begin(ready);
            }
            else if (now - State.Since >= (State.HasTrained ? rules.WaitTime : rules.JoinTime))
            {
                Effects.Add(new GiveUpRun(Missing(ready.Count)));
            }
        }

        // How long after the latest arrival others may still come.
        private TimeSpan LastCall(List<Participant> ready, bool isReturn)
        {
            if (isReturn)
                return AreAllBack(ready) ? TimeSpan.Zero : MembershipRules.ReturnCall;
            return State.HasTrained || !rules.ExpectsOthers ? TimeSpan.Zero : MembershipRules.LastCall;
        }

        // Nobody is missing who could hold more.
        private static bool AreAllBack(List<Participant> ready)
        {
            var returned = ready.Where(one => one.Brings is not null).ToList();
            return returned.TrueForAll(one => one.MembersBefore > 0) && returned.Count >= returned.Max(one => one.MembersBefore);
        }

        // From the coordinator's state, or from a later one that a worker has brought.
        private void Begin(List<Participant> ready)
        {
            var members = ready.Select(one => one.Worker).ToImmutableList();
            var reason = $"{ready.Count} workers are ready";
            if (
                rules.CoordinatorHoldsState
                || ready.MaxBy(one => one.Brings ?? -1) is not { Brings: { } position } holder
                || position <= State.Saved
            )
            {
                Form(members, MembershipState.Coordinator, members.ToHashSet(), reason);
                return;
            }

            Effects.Add(new GoOnAfter(position, $"worker {holder.Worker} holds the state"));
            var lacking = ready
                .Where(one => one.Brings is not { } brings || Positions.StepAt(brings) != Positions.StepAt(position))
                .Select(one => one.Worker)
                .ToHashSet();
            Form(members, holder.Worker, lacking, reason);
        }

        private string Missing(int ready) =>
            State.HasTrained
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"every worker was lost, and none has come for {rules.WaitTime.TotalSeconds:0} seconds; go on with --resume"
                )
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ready} of {rules.MinimumWorkers} workers have joined within {rules.JoinTime.TotalSeconds:0} seconds; start them with --coordinator, or set --min-workers or --join-timeout"
                );

        private void Freeze(string cause, bool isRollBack = false)
        {
            State = State with { Freezing = new Freezing(now, cause, isRollBack, ImmutableSortedDictionary<int, long?>.Empty) };
            Effects.Add(new FreezeViews(State.Generation, Awaited(State.Freezing!), cause));
            CompleteFreeze();
        }

        private List<int> Awaited(Freezing freezing)
        {
            var engaged = State.Engaged.Select(one => one.Worker);
            return (rules.CoordinatorHoldsState ? engaged.Prepend(MembershipState.Coordinator) : engaged)
                .Where(worker => !freezing.Answers.ContainsKey(worker))
                .ToList();
        }

        private void CompleteFreeze()
        {
            if (State.Freezing is not { } freezing || Awaited(freezing).Count > 0)
                return;
            ExpelUnreachable();
            State = State with { Over = State.Generation, Freezing = null, DeadLinks = null };
            if (freezing.IsRollBack)
            {
                GoBackTogether(freezing);
                return;
            }

            var survivors = State.Engaged.Where(one => one.HasState && freezing.Answers[one.Worker] is not null).ToList();
            if (rules.CoordinatorHoldsState)
            {
                GoOn(freezing, survivors, freezing.Answers[MembershipState.Coordinator]!.Value);
                return;
            }

            var newest = survivors.Count > 0 ? Newest(freezing, survivors) : -1;
            if (newest >= 0 && Positions.StepAt(newest) >= Positions.StepAt(State.Saved))
                GoOn(freezing, survivors, newest);
            else
                GoBack(freezing); // what is left are newcomers, with nothing or an old state
        }

        private static long Newest(Freezing freezing, List<Participant> survivors) =>
            survivors.Max(one => freezing.Answers[one.Worker]!.Value);

        // Newcomers that have not received the state wait for the next view, which is planned, so that nobody waits for them.
        private void GoOn(Freezing freezing, List<Participant> survivors, long position)
        {
            Effects.Add(new GoOnAfter(position, freezing.Cause));
            bool Holds(int worker) => Positions.StepAt(freezing.Answers[worker]!.Value) == Positions.StepAt(position);
            var order = State.View.Concat(survivors.Select(one => one.Worker)).Distinct().ToList();
            var members = order.Where(worker => survivors.Exists(one => one.Worker == worker && !one.IsLeaving)).ToImmutableList();
            if (!rules.CoordinatorHoldsState && !members.Exists(Holds))
                members = members.Insert(0, survivors.First(one => Holds(one.Worker)).Worker); // it hands over before it leaves
            if (members.Count == 0 && survivors.Count > 0 && State.Participants.Values.All(one => one.IsLeaving))
                members = [survivors[0].Worker]; // until the run has stopped for lack of others
            PutBack(State.Engaged.Where(one => !members.Contains(one.Worker)));

            if (members.Count == 0)
            {
                Await();
                return;
            }

            var source = rules.CoordinatorHoldsState ? MembershipState.Coordinator : members.First(Holds);
            Form(members, source, members.Where(worker => !Holds(worker)).ToHashSet(), freezing.Cause);
        }

        private void GoBack(Freezing freezing)
        {
            Effects.Add(new GoOnAfter(null, freezing.Cause));
            PutBack(State.Engaged);

            Await();
        }

        // Whoever is there, and whatever it holds: only the state that was agreed on counts.
        private void GoBackTogether(Freezing freezing)
        {
            State = State with { Lineage = State.Lineage + 1 };
            Effects.Add(new RollBack(State.Lineage, freezing.Cause));
            foreach (var one in State.Participants.Values)
                Set(one with { HasState = false, Brings = null });
            PutBack(State.Engaged);
            Await();
        }

        // Those that the next view does not begin with.
        private void PutBack(IEnumerable<Participant> engaged)
        {
            foreach (var one in engaged.ToList())
            {
                if (one.IsLeaving)
                    Let(one.Worker, "it was asked to leave");
                else
                    Set(one with { Standing = Standing.Waiting, HasOpened = false });
            }
        }

        private void Await()
        {
            State = State with { View = [], Since = now };
            CheckWaiting();
        }

        // The member with the most dead links goes; of two with as many, one that is leaving, then the one that came last.
        private void ExpelUnreachable()
        {
            while (State.DeadLinks is { } dead)
            {
                var links = dead.Links.Where(link => IsEngaged(link.Item1) && IsEngaged(link.Item2)).ToList();
                if (links.Count == 0)
                    return;
                var ends = links
                    .SelectMany(link => new[] { link.Item1, link.Item2 })
                    .Where(worker => worker != MembershipState.Coordinator);
                var worst = ends.CountBy(worker => worker)
                    .MaxBy(count => (count.Value, State.Participants[count.Key].IsLeaving, count.Key))
                    .Key;
                Remove(worst, $"others do not reach it: {dead.Cause}");
            }
        }

        // Between two steps. If all members leave while others join, they stay for one more view, to hand the state over.
        private void Change(long nextStep)
        {
            bool Stays(int worker) => State.Participants[worker] is { IsLeaving: false };
            var joining = State.Participants.Values.Where(State.IsCandidate).Select(one => one.Worker).ToList();
            var staying = State.View.Where(Stays).ToList();
            if (staying.Count == 0 && joining.Count == 0)
            {
                if (State.Participants.Values.Any(one => !one.IsLeaving))
                    return; // it is known soon whether they can take over
                Effects.Add(new StopForLack("every worker has asked to leave"));
                return;
            }

            var kept = staying.Count > 0 ? staying : [.. State.View];
            var left = State.View.Except(kept).ToList();
            var source = rules.CoordinatorHoldsState
                ? MembershipState.Coordinator
                : kept.Find(worker => State.Participants[worker].HasOpened);
            if (source == MembershipState.Coordinator && !rules.CoordinatorHoldsState)
                source = kept[0]; // it will have the state by then
            var reason = string.Create(
                CultureInfo.InvariantCulture,
                $"before step {nextStep}, {joining.Count} join and {left.Count} leave"
            );
            foreach (var worker in left)
                Set(State.Participants[worker] with { Standing = Standing.Draining });
            Form([.. kept, .. joining], source, joining.ToHashSet(), reason);
        }

        private void Form(
            ImmutableList<int> members,
            int source,
            IReadOnlySet<int> lacking,
            string reason,
            IReadOnlyList<int>? shares = null
        )
        {
            State = State with
            {
                Generation = State.Generation with { Number = State.Generation.Number + 1 },
                View = members,
                HasTrained = true,
            };
            foreach (var worker in members)
            {
                var one = State.Participants[worker];
                var hasState = one.HasState || (one.Brings is not null && !lacking.Contains(worker));
                Set(one with { Standing = Standing.Member, HasOpened = false, HasState = hasState, Ways = one.Ways.Clear() });
            }

            Effects.Add(new BeginView(State.Generation, members, source, lacking, reason, shares));
        }

        private void Remove(int worker, string reason, bool mayReturn = true)
        {
            State = State with { Participants = State.Participants.Remove(worker) };
            Effects.Add(new ExpelWorker(worker, reason, mayReturn));
        }

        private void Let(int worker, string reason)
        {
            State = State with { Participants = State.Participants.Remove(worker) };
            Effects.Add(new ReleaseWorker(worker, reason));
        }

        private void Set(Participant one) => State = State with { Participants = State.Participants.SetItem(one.Worker, one) };

        private bool IsEngaged(int worker) =>
            worker == MembershipState.Coordinator
                ? rules.CoordinatorHoldsState
                : State.Participants.TryGetValue(worker, out var one) && one.Standing != Standing.Waiting;

        // Until then, others may fetch the state from one that leaves.
        private bool IsOpen() => State.View.TrueForAll(worker => State.Participants[worker].HasOpened);

        private Standing? StandingOf(int worker) => State.Participants.TryGetValue(worker, out var one) ? one.Standing : null;
    }
}
