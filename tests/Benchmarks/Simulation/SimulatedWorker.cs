namespace Distributed.Benchmarks.Simulation;

/// <summary>
/// A worker: it computes, exchanges and updates as the product does. The compute thread publishes the buckets that the backward pass has
/// completed, sums what is there, and applies reduced slices; between two buckets it does not look.
/// </summary>
internal sealed class SimulatedWorker
{
    private readonly int _number;
    private readonly Costs _costs;
    private readonly Agenda _agenda;
    private readonly Round[] _rounds;
    private readonly double[] _completions;
    private readonly long[][] _missing; // elements, by round and bucket
    private readonly double[][] _ready; // when nothing is missing any more, by round and bucket
    private readonly int[] _through; // buckets that have gone through a round, by round
    private readonly Processor _compute = new();
    private double _lastAvailable;
    private long _unapplied; // elements of reduced slices that came while the compute thread was busy
    private int _published;
    private Work _work = Work.None;
    private int _round; // of the sum under way
    private double _begin;
    private double _interruptions; // what the processor had been asked when the work began

    public SimulatedWorker(int number, Exchange exchange, Workload workload, Costs costs, Agenda agenda)
    {
        (_number, _costs, _agenda) = (number, costs, agenda);
        _rounds = exchange.RoundsOf(number);
        _completions = workload.Completions(exchange.Plan, number);
        _missing = [.. _rounds.Select(round => _completions.Select((_, bucket) => round.Expected(bucket)).ToArray())];
        _ready = [.. _rounds.Select(_ => new double[_completions.Length])];
        _through = new int[_rounds.Length - 1];
        var messages = costs.HasSpareProcessor ? new Processor() : _compute;
        (Outgoing, Incoming) = (new Outgoing(costs, messages), new Incoming(costs, messages));
    }

    private enum Work
    {
        None,
        Backward,
        Sum,
    }

    public Outgoing Outgoing { get; }

    public Incoming Incoming { get; }

    /// <summary>Whether the worker has the whole reduced gradient.</summary>
    public bool IsThrough =>
        _through.All(buckets => buckets == _completions.Length) && _missing[^1].All(elements => elements <= 0) && _unapplied == 0;

    /// <summary>When the worker's step has ended.</summary>
    public double End => Math.Max(_compute.Free, Math.Max(_begin, _lastAvailable));

    /// <summary>Lets the compute thread go on with the next thing, if it waits.</summary>
    public void Wake(double now)
    {
        if (_work != Work.None)
            return;
        Apply(now, _unapplied);
        _unapplied = 0;
        if (!BeginSum(now) && _published < _completions.Length)
            BeginBackward(now);
    }

    /// <summary>Ends what the compute thread was doing, unless messages have held it up.</summary>
    public void Complete(double now)
    {
        if (_work == Work.Backward && BackwardEnd > now)
        {
            _agenda.Add(_number, Happening.Completion, BackwardEnd);
            return;
        }

        var work = _work;
        (_work, _begin) = (Work.None, now);
        if (work == Work.Backward)
            Send(now, 0, _published++);
        else
            EndSum(now);
        Wake(now);
    }

    /// <summary>Takes a frame.</summary>
    /// <param name="flight">The frame.</param>
    /// <param name="available">When its values are there.</param>
    public void Take(Flight flight, double available)
    {
        _lastAvailable = available;
        if (flight.Elements == 0)
            TakeNothing(flight.Round, available);
        else
            Count(flight.Round, flight.Bucket, flight.Elements, available);
        if (!_rounds[flight.Round].IsGather)
            return;
        if (_work == Work.None)
            Apply(available, flight.Elements);
        else
            _unapplied += flight.Elements;
    }

    private double BackwardEnd => _begin + BackwardSeconds + (_compute.Work - _interruptions);

    private double BackwardSeconds => _completions[_published] - (_published == 0 ? 0 : _completions[_published - 1]);

    // A worker without blocks contributes nothing to all buckets.
    private void TakeNothing(int round, double available)
    {
        for (var bucket = 0; bucket < _completions.Length; bucket++)
            Count(round, bucket, 1, available);
    }

    private void Count(int round, int bucket, int elements, double available)
    {
        var missing = _missing[round][bucket];
        _missing[round][bucket] = missing - elements;
        if (missing <= 0 || missing > elements)
            return;
        _ready[round][bucket] = available;
        if (round < _through.Length)
            _agenda.Add(_number, Happening.Wake, available);
    }

    private void Apply(double now, long elements)
    {
        if (elements > 0)
            _compute.Do(now, elements * sizeof(float) * _costs.Update);
    }

    private void BeginBackward(double now)
    {
        (_work, _begin, _interruptions) = (Work.Backward, Math.Max(now, _compute.Free), _compute.Work);
        _agenda.Add(_number, Happening.Completion, BackwardEnd);
    }

    private bool BeginSum(double now)
    {
        for (_round = 0; _round < _through.Length; _round++)
        {
            var bucket = _through[_round];
            if (bucket >= (_round == 0 ? _published : _through[_round - 1]) || _missing[_round][bucket] > 0 || _ready[_round][bucket] > now)
                continue;
            _work = Work.Sum;
            _agenda.Add(_number, Happening.Completion, _compute.Do(now, _rounds[_round].Summed(bucket) * sizeof(float) * _costs.Reduce));
            return true;
        }

        return false;
    }

    private void EndSum(double now)
    {
        var bucket = _through[_round]++;
        if (!_rounds[_round].IsGather && _rounds[_round + 1].IsGather)
            _unapplied += _rounds[_round].Own(bucket);
        Send(now, _round + 1, bucket);
    }

    private void Send(double now, int round, int bucket)
    {
        if (Outgoing.Send(now, _rounds[round], round, bucket))
            _agenda.Add(_number, Happening.Arrival, Outgoing.Next.FirstBit);
    }
}
