using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>The connected workers, members of the view or not, and the messages to them.</summary>
/// <param name="identity">Stands on every message.</param>
/// <param name="settings">Sent to a worker when it joins.</param>
/// <param name="time">The time that silence is measured in.</param>
internal sealed class MemberRegistry(RunIdentity identity, RunSettings settings, TimeProvider time)
{
    /// <summary>What the coordinator is called as a member.</summary>
    public const string CoordinatorName = "the coordinator";

    private readonly SortedDictionary<int, MemberSession> _sessions = [];
    private readonly Dictionary<(int Number, int ProcessId), MemberSession> _locals = [];
    private readonly SortedDictionary<int, Grants> _granted = []; // by worker: what has still to be sent
    private ViewGeneration _generation;
    private Dismissal? _ending;

    /// <summary>How many workers have built their replicas and have not been dismissed.</summary>
    public int ReadyCount => _sessions.Values.Count(session => session.State == SessionState.Ready);

    /// <summary>The connected workers that have not been dismissed.</summary>
    public IEnumerable<MemberSession> Sessions => _sessions.Values.Where(session => session.IsOpen);

    /// <summary>A connected worker.</summary>
    public MemberSession Get(int worker) => _sessions[worker];

    /// <summary>A worker that is connected and has not been dismissed, or null.</summary>
    public MemberSession? Find(int worker) => _sessions.TryGetValue(worker, out var session) && session.IsOpen ? session : null;

    /// <summary>The session of a process that the coordinator started, also when it has ended; null if it has never joined.</summary>
    /// <param name="number">Its number among the local workers.</param>
    /// <param name="processId">The process.</param>
    public MemberSession? LocalSession(int number, int processId) => _locals.GetValueOrDefault((number, processId));

    /// <summary>The number of a member by its name in messages, the coordinator's included; null if there is none.</summary>
    public int? NumberOf(string name) =>
        name == CoordinatorName ? MembershipState.Coordinator : Sessions.FirstOrDefault(session => session.Name == name)?.Worker;

    /// <summary>What a member is called where it has to be found, the coordinator included.</summary>
    public string FullNameOf(int member) => member == MembershipState.Coordinator ? CoordinatorName : Get(member).FullName;

    /// <summary>Takes a worker in, or turns it away if the run is ending.</summary>
    public void Welcome(MemberSession session)
    {
        _sessions.Add(session.Worker, session);
        session.LastHeard = time.GetTimestamp();
        if (session.Join.LocalNumber > 0)
            _locals[(session.Join.LocalNumber, session.Join.ProcessId)] = session;
        Send(
            session.Worker,
            new CoordinatorMessage
            {
                Welcome = new Welcome
                {
                    Worker = session.Worker,
                    Settings = settings,
                    ProtocolVersion = ProtocolVersion.Current,
                    NumericsVersion = NumericsVersion.Current,
                },
            }
        );
        if (_ending is { } ending)
            DismissAtEnd(session, ending);
    }

    /// <summary>Notes what a message says of its sender.</summary>
    /// <returns>Whether it matters: what a worker says after it has been dismissed or lost does not.</returns>
    public bool Receive(MemberSession session, WorkerMessage message)
    {
        session.LastHeard = time.GetTimestamp();
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Finished)
            session.WeightsSha256 = Convert.ToHexStringLower(message.Finished.WeightsSha256.Span);
        if (message.Run != identity.Run && message.BodyCase != WorkerMessage.BodyOneofCase.Join)
            return false;
        session.Step = Math.Max(session.Step, (long)message.Step);
        if (message.Heartbeat is { } beat)
            (session.Phase, session.Progress, session.WaitsFor) = (beat.Phase, beat.Progress, beat.WaitsFor);
        if (message.Ready is { } ready && session.State == SessionState.Preparing)
            session.BecomeReady(ready.HoldsDataset);
        return session.IsOpen;
    }

    /// <summary>Forgets a worker whose session has ended.</summary>
    /// <returns>Whether it is lost by that: it had not been dismissed, and was not known to have ended.</returns>
    public bool Remove(MemberSession session)
    {
        var isLoss = session.IsOpen;
        session.End();
        _granted.Remove(session.Worker);
        if (!session.IsReleased) // what that one has confirmed still counts
            _sessions.Remove(session.Worker);
        return isLoss;
    }

    /// <summary>The workers that have been silent for longer than a bound, and have not been dismissed.</summary>
    public IEnumerable<MemberSession> Silent(TimeSpan bound) =>
        [.. Sessions.Where(session => time.GetElapsedTime(session.LastHeard) > bound)];

    /// <summary>Tells the members of a view that it begins.</summary>
    /// <param name="view">The view.</param>
    /// <param name="position">What has been done when it begins.</param>
    /// <param name="lineage">The lineage of the state that it begins with.</param>
    /// <param name="source">A member that holds the state, as all do that do not lack it; or the coordinator's number.</param>
    /// <param name="lacking">The members that have to fetch it.</param>
    public void Enter(ClusterView view, long position, uint lineage, int source, IReadOnlySet<int> lacking)
    {
        SendGrants();
        _generation = view.Generation;
        var holders = view
            .Workers.Where(worker => !lacking.Contains(worker))
            .OrderBy(worker => worker != source)
            .Take(StateTransfer.MostStripes)
            .ToList();
        for (var rank = 0; rank < view.Workers.Count; rank++)
        {
            var member = Get(view.Workers[rank]);
            var message = new View
            {
                FirstStep = (ulong)view.FirstStep,
                Position = (ulong)position,
                Lineage = lineage,
                Rank = rank,
                FetchState = lacking.Contains(view.Workers[rank]),
            };
            if (source != MembershipState.Coordinator)
                message.StateSources.AddRange(holders.Select(holder => Get(holder).AddressFor(member)));
            message.Members.AddRange(view.Workers.Zip(view.Shares, (worker, share) => new Member
                    {
                        Worker = worker,
                        Address = Get(worker).AddressFor(member),
                        Share = (uint)share,
                    }));
            Send(view.Workers[rank], new CoordinatorMessage { View = message });
        }
    }

    /// <summary>Ends all views up to the newest at some workers; grants that have not been sent are dropped.</summary>
    public void Freeze(IEnumerable<int> workers)
    {
        _granted.Clear();
        foreach (var worker in workers.Where(_sessions.ContainsKey))
            Send(worker, new CoordinatorMessage { Freeze = new Freeze() });
    }

    /// <summary>
    /// Grants work to a connected worker; the grant is sent with the next message, or by <see cref="SendGrants()"/>, or when a message is
    /// full.
    /// </summary>
    /// <returns>False if the worker does not read, or has gone.</returns>
    public bool Grant(int worker, Grant grant)
    {
        if (!_granted.TryGetValue(worker, out var grants))
            _granted.Add(worker, grants = new Grants());
        grants.Grants_.Add(grant);
        return grants.Grants_.Sum(granted => granted.Indices.Length + granted.TouchedRows.Length) < WireLimits.ShardBytes
            || SendGrants(worker);
    }

    /// <summary>Sends each worker its grants since the last call: many grants cost one message.</summary>
    /// <returns>The workers that do not read, or have gone.</returns>
    public IReadOnlyList<int> SendGrants() => [.. _granted.Keys.ToList().Where(worker => !SendGrants(worker))];

    /// <summary>Sends a message to a connected worker.</summary>
    /// <returns>False if the worker does not read, or has gone.</returns>
    public bool Send(int worker, CoordinatorMessage message) => SendGrants(worker) && _sessions[worker].Send(Addressed(message));

    /// <summary>Dismisses a worker once it has done all that it was granted.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="reason">Why, if it has not asked for it.</param>
    public void Dismiss(MemberSession session, string reason = "") =>
        Dismiss(session, new Dismissal { Reason = reason }, SessionState.Released);

    /// <summary>Dismisses a worker that cannot be a member any more.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="reason">Why.</param>
    /// <param name="mayReturn">Whether it may join again.</param>
    public void Expel(MemberSession session, string reason, bool mayReturn) =>
        Dismiss(session, new Dismissal { Reason = reason, MayReturn = mayReturn }, SessionState.Expelled);

    /// <summary>Dismisses a worker that cannot become a member now, and may join again.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="reason">Why.</param>
    public void TurnAway(MemberSession session, string reason) =>
        Dismiss(session, new Dismissal { Reason = reason, MayReturn = true }, SessionState.TurnedAway);

    /// <summary>Dismisses every worker, and from now on every newcomer.</summary>
    /// <param name="dismissal">
    /// What they are told: <see cref="Dismissal.Complete"/> where training has ended in order, so that members confirm their weights.
    /// </param>
    public void DismissAll(Dismissal dismissal)
    {
        _ending = dismissal;
        foreach (var session in Sessions)
            DismissAtEnd(session, dismissal);
    }

    /// <summary>The members that are still connected and have not confirmed the weights that they end with.</summary>
    public IEnumerable<MemberSession> Unconfirmed(ClusterView? view) =>
        _sessions.Values.Where(session =>
            view?.RankOf(session.Worker) >= 0 && session is { State: not SessionState.Departed, WeightsSha256: null }
        );

    /// <summary>The hashes of the weights that members end with, as far as they have confirmed them.</summary>
    public IEnumerable<string> Confirmations(ClusterView? view) =>
        view is null ? [] : view.Workers.Select(worker => _sessions.GetValueOrDefault(worker)?.WeightsSha256).OfType<string>();

    private bool SendGrants(int worker) =>
        !_granted.Remove(worker, out var grants) || Get(worker).Send(Addressed(new CoordinatorMessage { Grants = grants }));

    private void DismissAtEnd(MemberSession session, Dismissal dismissal) =>
        Dismiss(session, new Dismissal(dismissal) { Complete = dismissal.Complete && session.HasBeenReady }, SessionState.Released);

    private void Dismiss(MemberSession session, Dismissal dismissal, SessionState state)
    {
        SendGrants(session.Worker);
        session.Dismiss(Addressed(new CoordinatorMessage { Dismissal = dismissal }), state);
    }

    private CoordinatorMessage Addressed(CoordinatorMessage message)
    {
        message.Run = identity.Run;
        message.Generation = _generation.ToMessage();
        return message;
    }
}
