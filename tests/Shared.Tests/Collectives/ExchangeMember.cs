using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>A member with the gradients of its leaves and what it gets of the sum.</summary>
internal sealed class ExchangeMember : IGradientConsumer
{
    private readonly PublishedMemory _memory;
    private readonly Leaves _leaves;
    private readonly int _rank;
    private int _taken;

    public ExchangeMember(
        ExchangeIdentity identity,
        IReadOnlyList<int> shares,
        IReadOnlyList<Bucket> buckets,
        Leaves leaves,
        PublishedMemory memory
    )
    {
        _memory = memory;
        _leaves = leaves;
        _rank = identity.Rank;
        Exchange = new PeerReduction(identity, new ReductionPlans(shares, buckets), _memory);
        Gradient = new float[leaves.Length];
        Plan = new ReductionPlan(1, shares, buckets);
    }

    /// <summary>A defect must not hang the tests.</summary>
    public static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public PeerReduction Exchange { get; }

    public ReductionPlan Plan { get; private set; }

    public float[] Gradient { get; }

    public void Begin(long step, int microbatches)
    {
        _taken = 0;
        Array.Clear(Gradient);
        Restart(step, microbatches);
        _leaves.Compute(step, Plan, _rank, _memory);
    }

    /// <summary>Begins a step with the gradients that are there.</summary>
    public void Restart(long step, int microbatches) => Plan = Exchange.Begin(step, microbatches, this);

    /// <summary>A whole step, whose backward pass completes the gradient from each of some elements on in turn.</summary>
    public float[] Step(long step, int microbatches, int[] layers)
    {
        Begin(step, microbatches);
        foreach (var offset in layers)
            Exchange.CompletedFrom(offset);
        Exchange.Complete(Deadline());
        Assert.Equal(Gradient.Length, _taken);
        return Gradient;
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

    void IGradientConsumer.Take(int offset, ReadOnlySpan<float> gradientSum)
    {
        gradientSum.CopyTo(Gradient.AsSpan(offset));
        _taken += gradientSum.Length;
    }
}
