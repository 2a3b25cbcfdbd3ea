using System.Runtime.ExceptionServices;
using Distributed.Kernels.Threads;

namespace Distributed.Benchmarks;

/// <summary>Runs something bound to one core, with the processes that it starts, while the rest of the program may use all.</summary>
internal static class OneCore
{
    /// <summary>Runs it on a thread of its own, on the last core: the system's own work is mostly done on the first.</summary>
    public static void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                ThreadAffinity.Set(ThreadAffinity.ProcessorSet.Of([ThreadAffinity.Allowed()[^1]]));
                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
