using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>
/// Reports of workers that did not answer at once. A batch of 64 in microbatches of 32 gives each of two workers one block.
/// </summary>
internal static class LateReports
{
    /// <summary>Reports a step as one of two workers.</summary>
    public static void Say(FakeWorker worker, long step) => Say(worker, Of(step, start: worker.Session.Worker - 1, count: 1));

    /// <summary>Reports.</summary>
    public static void Say(FakeWorker worker, StepReport report) =>
        worker.Say(message => message.Reports = new StepReports { Reports = { report } }, (long)report.Step);

    /// <summary>A report of one block.</summary>
    public static StepReport Of(long step, int start, int count) =>
        new()
        {
            Step = (ulong)step,
            Blocks =
            {
                new BlockSums
                {
                    Start = (uint)start,
                    Count = (uint)count,
                    LossSum = 1,
                    Samples = 1,
                },
            },
        };
}
