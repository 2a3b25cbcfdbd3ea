using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>A member with the gradients of its leaves and what it gets of the owners.</summary>
internal sealed class ExchangeMember : IGradientConsumer, IParameterUpdate
{
    private readonly Leaves _leaves;
    private readonly ViewIdentity _identity;
    private readonly CancellationToken _deadline = Deadline();
    private int _taken;
    private bool _isUpdated;

    public ExchangeMember(
        ViewIdentity identity,
        IReadOnlyList<int> shares,
        IReadOnlyList<Bucket> buckets,
        Leaves leaves,
        ExchangeMemory memory,
        SliceOwners owners = SliceOwners.Workers,
        bool needsWholeGradient = false
    )
    {
        Memory = memory;
        NeedsWholeGradient = needsWholeGradient;
        _leaves = leaves;
        _identity = identity;
        Exchange = new AllReduce(identity, new ReductionPlans(shares, buckets, owners), memory);
        Gradient = new float[leaves.Length];
        Plan = new ReductionPlan(1, shares, buckets, owners);
    }

    /// <summary>A defect must not hang the tests.</summary>
    public static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public AllReduce Exchange { get; }

    public ExchangeMemory Memory { get; }

    public ReductionPlan Plan { get; private set; }

    /// <summary>What the owners published.</summary>
    public float[] Gradient { get; }

    public bool NeedsWholeGradient { get; }

    /// <summary>What a parameter server publishes in place of a sum.</summary>
    public static float Updated(float sum) => sum * 3;

    /// <summary>The first value of a node's record.</summary>
    public static float RecordOf(long step, int start) => (step * 1000) + start;

    public void Begin(long step, int microbatches)
    {
        _taken = 0;
        Array.Clear(Gradient);
        Restart(step, microbatches);
        _leaves.Compute(step, Plan, _identity.Rank, Memory);
    }

    /// <summary>Begins a step with the gradients that are there.</summary>
    public void Restart(long step, int microbatches)
    {
        _isUpdated = false;
        Plan =
            _identity.Rank < Plan.Workers
                ? Exchange.Begin(step, microbatches, this, stop: _deadline)
                : Exchange.BeginAsServer(step, microbatches, this, stop: _deadline);
        WriteRecord(step);
    }

    /// <summary>A whole step, whose backward pass completes the gradient from each of some elements on in turn.</summary>
    public float[] Step(long step, int microbatches, int[] layers)
    {
        Begin(step, microbatches);
        foreach (var offset in _identity.Rank < Plan.Workers ? layers : [])
            Exchange.CompletedFrom(offset);
        Complete();
        if (_identity.Rank < Plan.Workers)
            Assert.Equal(Gradient.Length, _taken);
        else
            Assert.True(_isUpdated);
        CheckRecords(step);
        return Gradient;
    }

    /// <summary>What follows the backward pass.</summary>
    public void Complete()
    {
        if (_identity.Rank < Plan.Workers)
            Exchange.PublishRecord();
        Exchange.Complete();
    }

    /// <summary>An exchange of records alone.</summary>
    public void Evaluate(long step, int microbatches)
    {
        Plan = Exchange.BeginEvaluation(Positions.AfterEvaluation(step), microbatches, _deadline);
        WriteRecord(-step);
        Complete();
        CheckRecords(-step);
    }

    /// <summary>Lets the backward pass stand still until a number of elements has been handed over.</summary>
    public async Task PollAsync(int offset, int until)
    {
        for (var deadline = Deadline(); _taken < until; await Task.Yield())
        {
            deadline.ThrowIfCancellationRequested();
            Exchange.CompletedFrom(offset);
        }
    }

    void IGradientConsumer.Take(int offset, ReadOnlySpan<float> values)
    {
        values.CopyTo(Gradient.AsSpan(offset));
        _taken += values.Length;
    }

    void IParameterUpdate.Update(int offset, Span<float> values)
    {
        Assert.False(_isUpdated);
        Assert.True(!NeedsWholeGradient || values.Length == Gradient.Length);
        values.CopyTo(Gradient.AsSpan(offset));
        for (var i = 0; i < values.Length; i++)
            values[i] = Updated(values[i]);
    }

    void IParameterUpdate.Complete() => _isUpdated = true;

    private void WriteRecord(long step)
    {
        var (first, count) = Plan.PlacesOf(_identity.Rank);
        for (var i = 0; i < count; i++)
            Exchange.OwnRecord.Slice(i * NodeRecord.Length, NodeRecord.Length).Fill(RecordOf(step, Plan.Nodes[first + i].Start));
    }

    private void CheckRecords(long step)
    {
        for (var place = 0; Plan.IsOwner(_identity.Rank) && place < Plan.Nodes.Count; place++)
            Assert.Equal(-1, Exchange.Record(place).IndexOfAnyExcept(RecordOf(step, Plan.Nodes[place].Start)));
    }
}
