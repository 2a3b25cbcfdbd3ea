using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A process that dies is noticed in several places; the line says what explains the most.</summary>
public sealed class FailureEvidenceTests
{
    private static readonly Evidence Complaint = new(
        "worker 2",
        17,
        Phase.AllGather,
        "the connection was closed",
        EvidenceWeight.Complaint
    );
    private static readonly Evidence Lost = new(
        "worker 2 (host, process 99)",
        15,
        Phase.ForwardBackward,
        "it closed the connection",
        EvidenceWeight.Lost
    );
    private static readonly Evidence Exited = Lost with { Cause = "the process was killed", Weight = EvidenceWeight.Exited };
    private static readonly Evidence Confessed = new(
        "worker 3 (host, process 98)",
        17,
        Phase.Snapshot,
        "no memory",
        EvidenceWeight.Confessed
    );
    private static readonly Evidence Diverged = new(
        "worker 1 (host, process 97)",
        3,
        Phase.ForwardBackward,
        "the loss is NaN at step 3",
        EvidenceWeight.Diverged
    );

    public static TheoryData<string, int[]> Lines =>
        new()
        {
            { "worker 2 failed at step 17 in all-gather: the connection was closed", [0] },
            { "worker 2 (host, process 99) failed at step 15 in forward and backward: it closed the connection", [1] },
            { "worker 2 (host, process 99) failed at step 17 in all-gather: it closed the connection", [0, 1] },
            { "worker 2 (host, process 99) failed at step 17 in all-gather: the process was killed", [1, 2, 0] },
            { "worker 3 (host, process 98) failed at step 17 in snapshot: no memory", [0, 1, 3, 2] },
            { "worker 1 (host, process 97): the loss is NaN at step 3", [3, 2, 4, 0] },
        };

    [Theory]
    [MemberData(nameof(Lines))]
    public void The_line_names_worker_step_phase_and_the_best_explanation(string line, int[] order)
    {
        Evidence[] all = [Complaint, Lost, Exited, Confessed, Diverged];
        var failure = new FailureEvidence();
        Assert.False(failure.Exists);
        foreach (var index in order)
            failure.Add(all[index]);
        Assert.True(failure.Exists);
        Assert.Equal(line, failure.Message());
    }

    [Fact]
    public void A_complaint_about_another_worker_places_nothing()
    {
        var failure = new FailureEvidence();
        failure.Add(Complaint with { Worker = "worker 21" });
        failure.Add(Lost);
        Assert.Contains("at step 15", failure.Message(), StringComparison.Ordinal);
    }
}
