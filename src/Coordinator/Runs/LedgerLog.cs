using System.Text.Json;

namespace Distributed.Coordinator.Runs;

/// <summary><c>ledger.jsonl</c>: a line for every step, with the numbers of the samples that it was trained on.</summary>
/// <param name="path">The file; created by the first line.</param>
internal sealed class LedgerLog(string path)
{
    /// <summary>Its name in the run folder.</summary>
    public const string FileName = "ledger.jsonl";

    /// <summary>Appends a step.</summary>
    public void Append(SamplesUsed used) => File.AppendAllText(path, JsonSerializer.Serialize(used, JsonSerializerOptions.Web) + "\n");

    /// <summary>Drops the lines of later steps, and a last line that was cut short.</summary>
    /// <param name="step">The last step that stays.</param>
    public void Truncate(long step)
    {
        if (!File.Exists(path))
            return;
        var kept = File.ReadLines(path).TakeWhile(line => IsUpTo(line, step)).Select(line => line + "\n");
        Checkpoints.AtomicFile.WriteText(path, string.Concat(kept));
    }

    private static bool IsUpTo(string line, long step)
    {
        try
        {
            using var used = JsonDocument.Parse(line);
            return used.RootElement.GetProperty("step").GetInt64() <= step;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
