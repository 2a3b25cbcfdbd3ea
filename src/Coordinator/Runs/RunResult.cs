using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>How a run ended.</summary>
/// <param name="Step">Steps completed since the run's beginning.</param>
/// <param name="Weights">
/// The flat vector of the model's parameters: those after that step, or with <c>--patience</c> those of the best evaluation.
/// </param>
/// <param name="TestLoss">The model's mean loss over the test set; null if interrupted.</param>
/// <param name="TestMetrics">What the objective measures of the test set beside the loss; empty if interrupted.</param>
/// <param name="Samples">Samples that this process and its workers have trained on: on a resumed run less than the run's total.</param>
/// <param name="Seconds">The time that those samples took, without start-up, evaluation and the writing of the last checkpoint.</param>
/// <param name="Workers">Workers at the end; 0 when the coordinator process has trained by itself.</param>
/// <param name="Transport">How gradients travelled: <c>none</c>, <c>grpc</c>, <c>shm</c> or <c>mixed</c>.</param>
/// <param name="Interrupted">Whether the run stopped early because it was told to; its last checkpoint has been saved.</param>
internal sealed record RunResult(
    long Step,
    ReadOnlyMemory<float> Weights,
    double? TestLoss,
    IReadOnlyList<Metric> TestMetrics,
    long Samples,
    double Seconds,
    int Workers,
    string Transport,
    bool Interrupted
)
{
    /// <summary>The model's figures of the held-out part; null if there is none, or if interrupted.</summary>
    public TestScore? HeldOut { get; init; }

    /// <summary>Why training stopped before its end; null if it did not.</summary>
    public string? StopReason { get; init; }

    /// <summary>Workers that were lost.</summary>
    public int WorkersLost { get; init; }

    /// <summary>Workers that joined after the first step.</summary>
    public int WorkersJoined { get; init; }
}
