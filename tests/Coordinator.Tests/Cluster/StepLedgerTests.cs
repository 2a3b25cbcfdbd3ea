using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class StepLedgerTests
{
    private static readonly PlannedWork First = new(WorkKind.Train, 1);
    private static readonly PlannedWork Second = new(WorkKind.Train, 2);

    private readonly StepLedger _ledger = new();

    [Fact]
    public void Work_is_complete_when_every_worker_has_reported_it_with_the_sums_of_the_whole_tree()
    {
        _ledger.Granted(First, [4, 7]);
        _ledger.Reported(7, First, [Block(1, 0.5f)]);
        Assert.False(_ledger.TryComplete(out _, out _));
        _ledger.Reported(4, First, [Block(0, 1f)]);

        Assert.True(_ledger.TryComplete(out var work, out var sums));
        Assert.Equal((First, new BatchSums(1.5f, 2, 20)), (work, sums));
        Assert.True(_ledger.IsEmpty);
    }

    [Fact]
    public void Work_completes_in_the_order_in_which_it_was_granted()
    {
        _ledger.Granted(First, [4, 7]);
        _ledger.Granted(Second, [4, 7]);
        _ledger.Reported(4, First, [Block(0, 1f)]);
        _ledger.Reported(4, Second, [Block(0, 1f)]);
        _ledger.Reported(7, Second, []);
        Assert.False(_ledger.TryComplete(out _, out _));
        _ledger.Reported(7, First, []);

        Assert.True(_ledger.TryComplete(out var first, out _));
        Assert.True(_ledger.TryComplete(out var second, out _));
        Assert.Equal([First, Second], [first, second]);
    }

    [Fact]
    public void It_knows_who_owes_a_report()
    {
        Assert.False(_ledger.Awaits(4));
        _ledger.Granted(First, [4, 7]);
        _ledger.Reported(4, First, [Block(0, 1f)]);
        Assert.Equal((false, true), (_ledger.Awaits(4), _ledger.Awaits(7)));
    }

    [Fact]
    public void A_report_of_what_was_not_granted_is_refused()
    {
        _ledger.Granted(First, [4, 7]);
        _ledger.Reported(4, First, [Block(0, 1f)]);
        Assert.Throws<InvalidDataException>(() => _ledger.Reported(4, First, [Block(0, 1f)]));
        Assert.Throws<InvalidDataException>(() => _ledger.Reported(5, First, []));
        Assert.Throws<InvalidDataException>(() => _ledger.Reported(7, Second, []));
        Assert.Throws<InvalidDataException>(() => _ledger.Reported(7, new(WorkKind.Evaluate, 1), []));
    }

    private static (TreeNode, BatchSums) Block(int start, float loss) => (new TreeNode(start, 1), new BatchSums(loss, 1, 10));
}
