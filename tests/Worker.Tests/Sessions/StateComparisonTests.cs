using Distributed.Protocol;
using Distributed.Worker.Sessions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

public sealed class StateComparisonTests
{
    [Theory]
    [InlineData(8, 1, 2, 9, 1, 3)] // who holds more writes
    [InlineData(8, 1, 2, 8, 1, 1)] // of equals the lower number
    [InlineData(8, 1, 1, 8, 2, 5)] // and of two coordinators' numbers that of the later one
    public void One_of_two_leaves_it_to_the_other(ulong position, uint epoch, int worker, ulong theirs, uint theirEpoch, int other)
    {
        HeldState own = State(position, epoch, worker),
            others = State(theirs, theirEpoch, other);
        Assert.True(StateComparison.LeavesItTo(own, others), "it does not leave it");
        Assert.False(StateComparison.LeavesItTo(others, own), "both leave it");
    }

    // What was done before the run went back may be wrong, however much it is.
    [Fact]
    public void Who_holds_the_latest_lineage_writes()
    {
        HeldState own = State(9, 1, 1),
            others = State(8, 1, 2);
        others.Lineage = 1;
        Assert.True(StateComparison.LeavesItTo(own, others), "it does not leave it");
        Assert.False(StateComparison.LeavesItTo(others, own), "both leave it");
    }

    [Fact]
    public void Of_any_number_exactly_one_leaves_it_to_nobody()
    {
        List<HeldState> all =
        [
            .. from position in new ulong[] { 0, 7, 8 }
            from epoch in new uint[] { 1, 2 }
            from worker in new[] { 1, 2, 3 }
            select State(position, epoch, worker),
        ];
        Assert.Equal(State(8, 2, 1), Assert.Single(all, own => !all.Exists(other => StateComparison.LeavesItTo(own, other))));
    }

    [Fact]
    public async Task It_waits_until_all_others_have_asked()
    {
        var own = State(8, 1, 1);
        var comparison = new StateComparison(() => own);
        var asked = comparison.AskedByAsync([State(7, 1, 2), State(8, 1, 3)], TestContext.Current.CancellationToken);
        Assert.Equal(own, comparison.Answer(State(8, 1, 3)));
        Assert.False(asked.IsCompleted, "one has not asked yet");
        comparison.Answer(State(7, 1, 2));
        await asked;
        await comparison.AskedByAsync([State(8, 1, 3)], TestContext.Current.CancellationToken); // before it waits
    }

    private static HeldState State(ulong position, uint epoch, int worker) =>
        new()
        {
            Position = position,
            Epoch = epoch,
            Worker = worker,
        };
}
