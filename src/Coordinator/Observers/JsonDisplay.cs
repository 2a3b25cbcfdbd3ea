using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>One JSON object per event and line.</summary>
/// <param name="output">Gets nothing else.</param>
internal sealed class JsonDisplay(TextWriter output) : IRunObserver
{
    /// <inheritdoc/>
    public string Name => "the output";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is SnapshotTaken or SamplesUsed or StepTimed)
            return;
        output.WriteLine(StrictJson.Serialize(runEvent));
        output.Flush();
    }
}
