using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>Reports of workers that did not answer at once. A batch of 64 in microbatches of 32 gives each of two workers one block.</summary>
internal static class LateReports
{
    /// <summary>Reports a step as one of two workers.</summary>
    public static void Say(FakeWorker worker, long step) => worker.Say(message => message.Report = Of(start: worker.Session.Worker - 1, count: 1), step);

    /// <summary>A report of one block.</summary>
    public static StepReport Of(int start, int count) =>
        new() { Blocks = { new BlockSums { Start = (uint)start, Count = (uint)count, LossSum = 1, Samples = 1 } } };
}
