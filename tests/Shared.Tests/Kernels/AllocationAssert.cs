using Xunit;

namespace Distributed.Shared.Tests.Kernels;

internal static class AllocationAssert
{
    private const int Attempts = 10;

    /// <summary>
    /// Runs a step once to warm it up, and then until a run allocates nothing on this thread. A step that allocates does so in every run; a collection
    /// that another test causes in between can make one run look as if it did, since it takes back the rest of the thread's allocation window.
    /// </summary>
    public static void NothingOnceWarm(Action step)
    {
        step();
        long allocated = 0;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            step();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0)
                return;
        }

        Assert.Fail($"A warmed step allocated {allocated} bytes.");
    }
}
