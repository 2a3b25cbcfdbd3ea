using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

internal static class AllocationAssert
{
    private const int Attempts = 10;

    /// <summary>
    /// Runs a step once to warm it up, and then until a run allocates nothing on this thread and a team's. A step that allocates does so in
    /// every run; a collection that another test causes in between can make one run look as if it did, since it takes back the rest of a
    /// thread's allocation window.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="team">The threads that take part in it; null for the caller alone.</param>
    public static void NothingOnceWarm(Action step, ComputeTeam? team = null)
    {
        step();
        long allocated = 0;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var before = AllocatedBytes(team);
            step();
            allocated = AllocatedBytes(team) - before;
            if (allocated == 0)
                return;
        }

        Assert.Fail($"A warmed step allocated {allocated} bytes.");
    }

    private static unsafe long AllocatedBytes(ComputeTeam? team)
    {
        if (team is null)
            return GC.GetAllocatedBytesForCurrentThread();
        long sum = 0;
        team.Run(new AddAllocatedBytes(&sum));
        return sum;
    }

    private readonly unsafe struct AddAllocatedBytes(long* sum) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => Interlocked.Add(ref *sum, GC.GetAllocatedBytesForCurrentThread());
    }
}
