using System.Text.Json;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Display;

/// <summary>One JSON object per event and line; floats are written so that reading them gives the same bits.</summary>
/// <param name="output">Takes nothing else.</param>
internal sealed class JsonDisplay(TextWriter output) : IRunDisplay
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <inheritdoc/>
    public Task<T> FollowAsync<T>(Func<Task<T>> run) => run();

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        output.WriteLine(JsonSerializer.Serialize(runEvent, Options));
        output.Flush();
    }
}
