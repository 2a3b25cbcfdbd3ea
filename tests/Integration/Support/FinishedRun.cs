using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Distributed.Integration.Support;

/// <summary>What a complete run leaves in its folder.</summary>
/// <param name="WeightsSha256">From summary.json.</param>
/// <param name="Workers">Likewise.</param>
/// <param name="Transport">Likewise.</param>
/// <param name="Metrics">metrics.jsonl: every loss.</param>
/// <param name="Model">model.safetensors.</param>
/// <param name="State">Weights and optimizer state of the last checkpoint.</param>
internal sealed record FinishedRun(string WeightsSha256, int Workers, string Transport, string Metrics, byte[] Model, byte[] State)
{
    private const string RunName = "run";

    /// <summary>Trains to the end in a folder, in <c>run</c> inside it.</summary>
    public static async Task<FinishedRun> TrainAsync(TempFolder folder, params IEnumerable<string> options)
    {
        await using var coordinator = CoordinatorProcess.Train(folder, ["--run", folder[RunName], .. options]);
        var exit = await coordinator.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);
        return Read(folder[RunName]);
    }

    /// <summary>Reads a run folder.</summary>
    public static FinishedRun Read(string run)
    {
        var summary = JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
        return new FinishedRun(
            summary.GetProperty("weightsSha256").GetString()!,
            summary.GetProperty("workers").GetInt32(),
            summary.GetProperty("transport").GetString()!,
            File.ReadAllText(Path.Combine(run, "metrics.jsonl")),
            File.ReadAllBytes(Path.Combine(run, "model.safetensors")),
            StateAfter(run, summary.GetProperty("steps").GetInt64())
        );
    }

    /// <summary>The numbers in a checkpoint, weights and optimizer state alike, without the header that describes them.</summary>
    public static byte[] StateAfter(string run, long step)
    {
        var file = File.ReadAllBytes(
            Path.Combine(run, "checkpoints", string.Create(CultureInfo.InvariantCulture, $"step-{step}.safetensors"))
        );
        return file[(sizeof(ulong) + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file)))..];
    }
}
