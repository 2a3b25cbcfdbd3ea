using Distributed.Collectives.Transports;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// Sums a step's gradient over all members of a view: reduce-scatter (each publishes its nodes to the owners of the slices), the tree,
/// and all-gather (each owner publishes its slices). Two rounds, whatever the number of members. A parameter server is an owner of
/// everything, and publishes updated weights in place of the reduced gradient. The records of the step's nodes are sent along with
/// the gradient; after an evaluation they are exchanged alone.
/// </summary>
/// <remarks>
/// It goes bucket by bucket and needs no thread of its own: whenever the backward pass has completed a part of the gradient, the
/// compute thread publishes the buckets in it, and does what else can be done without blocking. Only <see cref="Complete"/> blocks.
/// <see cref="ITransport"/> explains why nothing is overwritten that a peer still reads.
/// </remarks>
internal sealed class AllReduce : IBackwardProgress
{
    private readonly ViewIdentity _identity;
    private readonly ReductionPlans _plans;
    private readonly ExchangeMemory _memory;
    private readonly List<ITransport> _transports = [];
    private readonly ITransport?[] _transportTo; // by rank
    private readonly SliceReducer _reducer = new();
    private readonly SliceNodes _nodes;
    private readonly int[] _taken; // by owner: how many buckets' slices have gone to the consumer
    private readonly Ending?[] _endings; // by rank: how the link to a peer has ended
    private IGradientConsumer? _consumer;
    private IParameterUpdate? _update;
    private CancellationToken _stop;
    private ExchangeRound _round;
    private int _exchanges;
    private int _published;
    private int _reduced;
    private int _awaited = -1; // rank

    /// <summary>Prepares the exchange of one view.</summary>
    /// <param name="identity">The view, as this member sees it.</param>
    /// <param name="plans">The plans of its steps.</param>
    /// <param name="memory">Where this member's nodes, slices and records lie; stays the caller's.</param>
    public AllReduce(ViewIdentity identity, ReductionPlans plans, ExchangeMemory memory)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(plans);
        _identity = identity;
        _plans = plans;
        _memory = memory;
        _round = new ExchangeRound(0, 0, plans.For(1), HasGradient: false);
        _transportTo = new ITransport?[identity.Members.Count];
        _taken = new int[identity.Members.Count];
        _endings = new Ending?[identity.Members.Count];
        _nodes = new SliceNodes(this);
    }

    /// <summary>Called at every point where this member's progress becomes visible to others; tests stop it there.</summary>
    internal Action<ExchangePoint>? Reached { get; set; }

    /// <summary>What this member is doing or waits for at the moment.</summary>
    public Phase Phase { get; private set; } = Phase.Idle;

    /// <summary>The name of the member that this one waits for at the moment; null where it waits for none. Any thread may ask.</summary>
    public string? WaitsFor => Volatile.Read(ref _awaited) is var peer and >= 0 ? _identity.Members[peer] : null;

    /// <summary>Counts every point of the exchange that this member comes to; or null. To be set before the first step.</summary>
    internal ProgressCounter? Counter { get; set; }

    /// <summary>Where the step's time goes; its owner says when a step begins and ends.</summary>
    public StepTimeline Timeline { get; } = new();

    private ReductionPlan Plan => _round.Plan;

    private bool IsServer => _identity.Rank >= Plan.Workers;

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <param name="consumer">Takes what the owners publish, from <see cref="CompletedFrom"/> on.</param>
    /// <param name="start">Where the step's gradient begins in the flat vector; the same for all members.</param>
    /// <param name="stop">Ends the exchange at its next point, with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The step's plan.</returns>
    public ReductionPlan Begin(long step, int microbatches, IGradientConsumer consumer, int start = 0, CancellationToken stop = default)
    {
        _consumer = consumer;
        Open(Positions.After(step), microbatches, hasGradient: true, start, stop);
        return Plan;
    }

    /// <summary>Begins a step as the parameter server.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <param name="update">Turns the reduced gradient into updated weights.</param>
    /// <param name="start">Where the step's gradient begins in the flat vector; the same for all members.</param>
    /// <param name="stop">Ends the exchange at its next point, with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The step's plan.</returns>
    public ReductionPlan BeginAsServer(
        long step,
        int microbatches,
        IParameterUpdate update,
        int start = 0,
        CancellationToken stop = default
    )
    {
        _update = update;
        Open(Positions.After(step), microbatches, hasGradient: true, start, stop);
        _published = Plan.Buckets.Count; // it has nothing to publish before it reduces
        return Plan;
    }

    /// <summary>Begins the exchange of records after an evaluation.</summary>
    /// <param name="position">What has been done once it is complete, see <see cref="Positions"/>.</param>
    /// <param name="microbatches">The number of microbatches of what is evaluated.</param>
    /// <param name="stop">Ends the exchange at its next point, with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The plan, whose buckets are not exchanged.</returns>
    public ReductionPlan BeginEvaluation(long position, int microbatches, CancellationToken stop = default)
    {
        Open(position, microbatches, hasGradient: false, start: 0, stop);
        return Plan;
    }

    /// <summary>[this member's nodes, <see cref="NodeRecord.Length"/>]: to be filled before <see cref="PublishRecord"/>.</summary>
    public Span<float> OwnRecord => _memory.Record(_round.Parity).Span[..(Plan.PlacesOf(_identity.Rank).Count * NodeRecord.Length)];

    /// <summary>
    /// [<see cref="NodeRecord.Length"/>]: the record of a node, after <see cref="Complete"/> and before the next exchange; on owners of
    /// slices only, since workers of a parameter server do not exchange with each other.
    /// </summary>
    /// <param name="place">The node's place in the plan.</param>
    public ReadOnlySpan<float> Record(int place)
    {
        var holder = Plan.HolderOf(place);
        var records = holder == _identity.Rank ? OwnRecord : _transportTo[holder]!.Record(holder);
        return records.Slice((place - Plan.PlacesOf(holder).First) * NodeRecord.Length, NodeRecord.Length);
    }

    /// <inheritdoc />
    public void CompletedFrom(int offset)
    {
        var before = Timeline.Enter(StepPart.Exchange);
        while (_published < Plan.Buckets.Count && Plan.Buckets[_published].Start >= offset)
        {
            foreach (var transport in _transports)
                transport.PublishNodes(_published);
            Pass(ExchangeStage.NodesPublished, _published++);
        }

        _stop.ThrowIfCancellationRequested();
        Progress();
        Timeline.Enter(before);
    }

    /// <summary>Publishes this member's record; before <see cref="Complete"/>, by a worker.</summary>
    public void PublishRecord()
    {
        foreach (var transport in _transports)
            transport.PublishRecord();
        Pass(ExchangeStage.RecordPublished);
    }

    /// <summary>
    /// Publishes what is left of this member's nodes, and blocks until all that the owners publish has gone to the
    /// consumer, and the record of every peer has arrived.
    /// </summary>
    /// <remarks>A server publishes its empty record last: a worker that has it knows that the server needs nothing more of it.</remarks>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    /// <exception cref="OperationCanceledException">The exchange was stopped.</exception>
    public void Complete()
    {
        Timeline.Enter(StepPart.Exchange);
        if (_round.HasGradient)
            CompleteGradient();
        for (var peer = 0; peer < Plan.Members; peer++)
        {
            if (Plan.Exchange(_identity.Rank, peer))
                Wait(peer, new ExchangePart(PartKind.Record, 0));
        }

        if (IsServer)
        {
            if (_round.HasGradient)
                _update!.Complete(); // before any worker can complete the step, which needs the server's record
            PublishRecord();
        }

        Pass(ExchangeStage.Completed);
    }

    /// <summary>Reaches peers by a transport; before the first step. Every peer that this member exchanges with needs one.</summary>
    internal void Use(ITransport transport, IEnumerable<int> peers)
    {
        _transports.Add(transport);
        foreach (var peer in peers)
            _transportTo[peer] = transport;
    }

    /// <summary>
    /// Reports that the link to a peer has ended. A peer that owes nothing may leave; one that still owes values, now or in the next
    /// step, is lost. Any thread may call it.
    /// </summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="exception">What broke the link, or null if it ended in order.</param>
    internal void LinkEnded(int peer, Exception? exception)
    {
        var cause = exception is null ? "it closed the connection" : WireErrors.Cause(exception);
        Volatile.Write(ref _endings[peer], new Ending(cause, exception));
        CheckEnding(peer);
    }

    /// <summary>Unblocks every waiter with an exception; any thread may call it.</summary>
    internal void Fail(Exception failure)
    {
        foreach (var transport in _transports)
            transport.Fail(failure);
    }

    private void Open(long position, int microbatches, bool hasGradient, int start, CancellationToken stop)
    {
        _stop = stop;
        (_published, _reduced) = (0, 0);
        Array.Clear(_taken);
        _round = new ExchangeRound(position, ++_exchanges % 2, _plans.For(microbatches, start), hasGradient);
        Phase = hasGradient ? Phase.ForwardBackward : Phase.Evaluation;
        _reducer.Reserve(Plan);
        foreach (var transport in _transports)
            transport.Begin(_round);
        for (var peer = 0; peer < _endings.Length; peer++)
            CheckEnding(peer);
        Pass(ExchangeStage.Begun);
    }

    private void CompleteGradient()
    {
        Phase = Phase.ReduceScatter;
        CompletedFrom(0);
        while (_reduced < Plan.Buckets.Count && Plan.IsOwner(_identity.Rank))
        {
            for (var peer = 0; peer < Plan.Workers; peer++)
                Wait(peer, new ExchangePart(PartKind.Nodes, _reduced));
            Progress();
        }

        if (IsServer)
            return;
        Phase = Plan.Members > Plan.Workers ? Phase.Broadcast : Phase.AllGather;
        for (var owner = 0; owner < Plan.Members; owner++)
        {
            while (_taken[owner] < Plan.Buckets.Count && Plan.IsOwner(owner))
            {
                Wait(owner, new ExchangePart(PartKind.Slice, _taken[owner]));
                Progress();
            }
        }
    }

    private void Wait(int peer, in ExchangePart part)
    {
        if (peer == _identity.Rank)
            return;
        Volatile.Write(ref _awaited, peer);
        var before = Timeline.Enter(StepPart.Waiting);
        _transportTo[peer]!.Wait(peer, part, _stop);
        Timeline.Enter(before);
        Counter?.Advance(); // before the wait is over for others to see: what follows has only begun
        Volatile.Write(ref _awaited, -1);
    }

    // Everything that can be done without blocking.
    private void Progress()
    {
        while (_reduced < _published && Plan.IsOwner(_identity.Rank) && AllHaveNodes(_reduced))
            Reduce(_reduced++);
        if (IsServer)
            return;
        for (var owner = 0; owner < Plan.Members; owner++)
        {
            while (_taken[owner] < Plan.Buckets.Count && HasSlice(owner, _taken[owner]))
                HandOver(owner, _taken[owner]++);
        }
    }

    private bool AllHaveNodes(int bucket)
    {
        for (var peer = 0; peer < Plan.Workers; peer++)
        {
            if (peer != _identity.Rank && !_transportTo[peer]!.Has(peer, new ExchangePart(PartKind.Nodes, bucket)))
                return false;
        }

        return true;
    }

    private bool HasSlice(int owner, int bucket)
    {
        if (owner == _identity.Rank)
            return bucket < _reduced;
        return Plan.IsOwner(owner) && _transportTo[owner]!.Has(owner, new ExchangePart(PartKind.Slice, bucket));
    }

    private void Reduce(int bucket)
    {
        var slice = Plan.SliceOf(bucket, _identity.Rank);
        _nodes.Enter(bucket, slice);
        if (!IsAlone)
            _reducer.Complete(Plan, _nodes, SlicesOf(slice));
        Pass(ExchangeStage.Reduced, bucket);
        if (!IsServer)
            PublishSlice(bucket);
        else if (!_update!.NeedsWholeGradient)
            Update(bucket, slice);
        else if (bucket == Plan.Buckets.Count - 1)
            UpdateWhole();
    }

    private void Update(int bucket, Bucket slice)
    {
        _update!.Update(slice.Start, SlicesOf(slice));
        PublishSlice(bucket);
    }

    private void UpdateWhole()
    {
        _update!.Update(0, _memory.Slices.Span);
        for (var bucket = 0; bucket < Plan.Buckets.Count; bucket++)
            PublishSlice(bucket);
    }

    private void PublishSlice(int bucket)
    {
        foreach (var transport in _transports)
            transport.PublishSlice(bucket);
        Pass(ExchangeStage.SlicePublished, bucket);
    }

    private void HandOver(int owner, int bucket)
    {
        var slice = Plan.SliceOf(bucket, owner);
        if (slice.Length > 0)
        {
            var before = Timeline.Enter(StepPart.Update);
            _consumer!.Take(slice.Start, owner == _identity.Rank ? OwnSlice(slice) : _transportTo[owner]!.Slice(owner, bucket));
            Timeline.Enter(before);
        }

        Pass(ExchangeStage.SliceTaken, bucket);
    }

    // The one node of the only worker is the sum already.
    private bool IsAlone => Plan.Nodes.Count == 1 && Plan.Members == 1;

    private ReadOnlySpan<float> OwnSlice(Bucket slice) => IsAlone ? _memory.Node(0).Span[slice.Start..slice.End] : SlicesOf(slice);

    private Span<float> SlicesOf(Bucket slice) => _memory.Slices.Span[slice.Start..slice.End];

    private void Pass(ExchangeStage stage, int bucket = 0)
    {
        Counter?.Advance();
        Reached?.Invoke(new ExchangePoint(stage, bucket));
        _stop.ThrowIfCancellationRequested();
    }

    private void CheckEnding(int peer)
    {
        if (Volatile.Read(ref _endings[peer]) is { } ending && _transportTo[peer]?.IsOwedBy(peer) == true)
        {
            // While this member computes, a lost peer will fail the reduce-scatter.
            var phase = Phase == Phase.ForwardBackward ? Phase.ReduceScatter : Phase;
            Fail(
                new PeerFailureException(_identity.Members[peer], Positions.StepAt(_round.Position), phase, ending.Cause, ending.Exception)
            );
        }
    }

    private sealed record Ending(string Cause, Exception? Exception);

    // The nodes of all members over this member's slice of a bucket.
    private sealed class SliceNodes(AllReduce owner) : INodeSource
    {
        private int _bucket;
        private Bucket _slice;

        public void Enter(int bucket, Bucket slice) => (_bucket, _slice) = (bucket, slice);

        public ReadOnlySpan<float> Node(int place)
        {
            var plan = owner.Plan;
            var holder = plan.HolderOf(place);
            return holder == owner._identity.Rank
                ? owner._memory.Node(place - plan.PlacesOf(holder).First).Span[_slice.Start.._slice.End]
                : owner._transportTo[holder]!.Node(holder, place, _bucket);
        }
    }
}

/// <summary>What a member has just done in an exchange.</summary>
internal enum ExchangeStage
{
    Begun = 0,
    NodesPublished,
    Reduced,
    SlicePublished,
    SliceTaken,
    RecordPublished,
    Completed,
}

/// <summary>A point of an exchange, by name, at which it can be stopped.</summary>
/// <param name="Stage">What has just been done.</param>
/// <param name="Bucket">For which bucket; 0 where it is about none.</param>
internal readonly record struct ExchangePoint(ExchangeStage Stage, int Bucket);
