using System.Text.Json;

namespace Distributed.Coordinator.Runs;

/// <summary><c>ledger.jsonl</c>: a line for every step, with the numbers of the samples that it was trained on.</summary>
/// <param name="path">The file; created by the first line.</param>
internal sealed class LedgerLog(string path) : IDisposable
{
    private readonly LineFile _lines = new(path);

    /// <summary>Its name in the run folder.</summary>
    public const string FileName = "ledger.jsonl";

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Why lines wait in memory; null if none does.</summary>
    public Exception? Failure => _lines.Failure;

    /// <summary>Appends a step.</summary>
    public void Append(SamplesUsed used) =>
        _lines.Append([.. JsonSerializer.SerializeToUtf8Bytes(used, JsonSerializerOptions.Web), (byte)'\n']);

    /// <summary>Drops the lines of later steps, and a last line that was cut short.</summary>
    /// <param name="step">The last step that stays.</param>
    public void Truncate(long step)
    {
        Dispose();
        LineFile.Cut(path, line => IsUpTo(line, step));
    }

    /// <summary>Closes the file; the next line reopens it.</summary>
    public void Dispose() => _lines.Dispose();

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
