using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>The connected workers, members of the view or not, and the messages to them.</summary>
/// <param name="identity">Stands on every message.</param>
/// <param name="settings">Sent to a worker when it joins.</param>
/// <param name="time">The time that silence is measured in.</param>
internal sealed class MemberRegistry(RunIdentity identity, RunSettings settings, TimeProvider time)
{
    private readonly SortedDictionary<int, MemberSession> _sessions = [];
    private readonly Dictionary<int, MemberSession> _locals = [];
    private readonly SortedDictionary<int, Grants> _granted = []; // by worker: what has still to be sent
    private ViewGeneration _generation;
    private long _lastArrival;
    private Dismissal? _ending;

    /// <summary>How many workers have built their replicas and have not been dismissed.</summary>
    public int ReadyCount => _sessions.Values.Count(session => session.IsReady && !session.IsDismissed);

    /// <summary>How long ago the last worker became ready.</summary>
    public TimeSpan SinceLastArrival => time.GetElapsedTime(_lastArrival);

    /// <summary>The workers that can be members, in order of arrival.</summary>
    public IReadOnlyList<Candidate> Ready() =>
        [
            .. _sessions
                .Values.Where(session => session.IsReady && !session.IsDismissed)
                .Select(session => new Candidate(session.Worker, session.IsLeaving)),
        ];

    /// <summary>A connected worker.</summary>
    public MemberSession Get(int worker) => _sessions[worker];

    /// <summary>
    /// The worker that the coordinator started as the given one, also when its session has ended; null if it has not joined.
    /// </summary>
    public MemberSession? FindLocal(int number) => _locals.GetValueOrDefault(number);

    /// <summary>Takes a worker in, or turns it away if the run is ending.</summary>
    public void Welcome(MemberSession session)
    {
        _sessions.Add(session.Worker, session);
        session.LastHeard = time.GetTimestamp();
        if (session.Join.LocalNumber > 0)
            _locals[session.Join.LocalNumber] = session;
        Send(
            session.Worker,
            new CoordinatorMessage
            {
                Welcome = new Welcome { Worker = session.Worker, Settings = settings },
            }
        );
        if (_ending is { } ending)
            DismissAtEnd(session, ending);
    }

    /// <summary>Notes what a message says of its sender.</summary>
    /// <returns>Whether it matters; from a dismissed worker, only reports of earlier grants and failures do.</returns>
    public bool Receive(MemberSession session, WorkerMessage message)
    {
        session.LastHeard = time.GetTimestamp();
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Finished)
            session.WeightsSha256 = Convert.ToHexStringLower(message.Finished.WeightsSha256.Span);
        if (message.Run != identity.Run && message.BodyCase != WorkerMessage.BodyOneofCase.Join)
            return false;
        session.Step = Math.Max(session.Step, (long)message.Step);
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Heartbeat)
            session.Phase = message.Heartbeat.Phase;
        if (session.IsDismissed)
            return message.BodyCase is WorkerMessage.BodyOneofCase.Reports or WorkerMessage.BodyOneofCase.Failure;
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Leave)
            session.IsLeaving = true;
        if (message.BodyCase == WorkerMessage.BodyOneofCase.Ready)
        {
            session.IsReady = true;
            session.HoldsDataset = message.Ready.HoldsDataset;
            _lastArrival = time.GetTimestamp();
        }

        return true;
    }

    /// <summary>Forgets a worker whose session has ended.</summary>
    public void Remove(MemberSession session)
    {
        if (!session.IsDismissed && _sessions.Remove(session.Worker))
            _granted.Remove(session.Worker);
    }

    /// <summary>The workers that have been silent for too long, dismissed ones included.</summary>
    public IEnumerable<MemberSession> Silent() =>
        [.. _sessions.Values.Where(session => time.GetElapsedTime(session.LastHeard) > WireLimits.HeartbeatTimeout)];

    /// <summary>Tells the members of a view that it begins.</summary>
    /// <param name="view">The view.</param>
    /// <param name="previous">The one before, or null.</param>
    /// <param name="coordinatorHoldsState">Whether those that lack the state get it from the coordinator in any view.</param>
    public void Enter(ClusterView view, ClusterView? previous, bool coordinatorHoldsState)
    {
        SendGrants();
        _generation = view.Generation;
        var source =
            coordinatorHoldsState || previous is null ? "" : Get(view.Workers.First(worker => previous.RankOf(worker) >= 0)).Address;
        for (var rank = 0; rank < view.Workers.Count; rank++)
        {
            var message = new View
            {
                FirstStep = (ulong)view.FirstStep,
                Rank = rank,
                StateSource = source,
            };
            message.Members.AddRange(view.Workers.Zip(view.Shares, (worker, share) => new Member
                    {
                        Worker = worker,
                        Address = Get(worker).Address,
                        Share = (uint)share,
                    }));
            message.FetchState = previous is null || previous.RankOf(view.Workers[rank]) < 0;
            Send(view.Workers[rank], new CoordinatorMessage { View = message });
        }
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
        return grants.Grants_.Sum(granted => granted.Indices.Length) < WireLimits.ShardBytes || SendGrants(worker);
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
    public void Dismiss(MemberSession session, string reason = "") => Dismiss(session, new Dismissal { Reason = reason });

    /// <summary>Dismisses every worker, and from now on every newcomer.</summary>
    /// <param name="dismissal">
    /// What they are told: <see cref="Dismissal.Complete"/> where training has ended in order, so that members confirm their weights.
    /// </param>
    public void DismissAll(Dismissal dismissal)
    {
        _ending = dismissal;
        foreach (var session in _sessions.Values.Where(session => !session.IsDismissed))
            DismissAtEnd(session, dismissal);
    }

    /// <summary>Whether every member has confirmed the weights that it ends with.</summary>
    public bool AllConfirmed(ClusterView? view) => view is null || Confirmations(view).Count() == view.Workers.Count;

    /// <summary>The hashes of the weights that members end with, as far as they have confirmed them.</summary>
    public IEnumerable<string> Confirmations(ClusterView? view) =>
        view is null ? [] : view.Workers.Select(worker => _sessions[worker].WeightsSha256).OfType<string>();

    private bool SendGrants(int worker) =>
        !_granted.Remove(worker, out var grants) || _sessions[worker].Send(Addressed(new CoordinatorMessage { Grants = grants }));

    private void DismissAtEnd(MemberSession session, Dismissal dismissal) =>
        Dismiss(session, new Dismissal(dismissal) { Complete = dismissal.Complete && session.IsReady });

    private void Dismiss(MemberSession session, Dismissal dismissal)
    {
        SendGrants(session.Worker);
        session.Dismiss(Addressed(new CoordinatorMessage { Dismissal = dismissal }));
    }

    private CoordinatorMessage Addressed(CoordinatorMessage message)
    {
        message.Run = identity.Run;
        message.Generation = _generation.ToMessage();
        return message;
    }
}
