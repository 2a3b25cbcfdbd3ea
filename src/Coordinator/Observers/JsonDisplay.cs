using System.Text.Json;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>One JSON object per event and line; floats are written so that reading them gives the same bits.</summary>
/// <param name="output">Gets nothing else.</param>
internal sealed class JsonDisplay(TextWriter output) : IRunObserver
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <inheritdoc/>
    public string Name => "the output";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is SnapshotTaken)
            return;
        output.WriteLine(JsonSerializer.Serialize(runEvent, Options));
        output.Flush();
    }
}
