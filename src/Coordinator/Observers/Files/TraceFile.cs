using System.Text.Json;
using Distributed.Collectives;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers.Files;

/// <summary>
/// What each worker did in every step, in Chrome's trace event format ("Trace Event Format", Duvall and Sinclair, 2016), which Perfetto opens: a
/// row for each worker, and one for what happened to the run. All on the coordinator's clock; times are microseconds from the file's beginning.
/// </summary>
internal sealed class TraceFile : IEventFile
{
    /// <summary>The largest file: viewers do not open larger ones.</summary>
    public const long MostBytes = 1L << 30;

    private const int RunRow = 0; // above the workers, whose numbers begin at 1
    private const int AloneRow = 1;

    private static readonly string[] Parts = ["compute", "exchange", "waiting", "update"];

    private readonly Stream _stream;
    private readonly TimeSpan _start; // on the monotonic clock
    private readonly DateTimeOffset _startUtc;
    private readonly HashSet<int> _named = [];
    private readonly MemoryStream _line = new();
    private readonly Utf8JsonWriter _json;
    private long _written;

    /// <summary>Begins a file.</summary>
    /// <param name="stream">Where to; disposed of with this object.</param>
    /// <param name="start">The monotonic clock's time at the beginning.</param>
    /// <param name="startUtc">The same in UTC.</param>
    public TraceFile(Stream stream, TimeSpan start, DateTimeOffset startUtc)
    {
        (_stream, _start, _startUtc) = (stream, start, startUtc);
        _json = new Utf8JsonWriter(_line);
        _stream.Write("[\n"u8);
        Name("process_name", RunRow, $"training, from {startUtc:yyyy-MM-dd HH:mm:ss} UTC");
        NameRow(RunRow, "the run");
    }

    /// <inheritdoc/>
    public bool Takes(RunEvent runEvent) =>
        runEvent is StepTimed
        || (runEvent is not (Listening or StepCompleted or Evaluated or RunCompleted) && RunText.Line(runEvent) is not null);

    /// <inheritdoc/>
    public void Write(RunEvent runEvent, DateTimeOffset at)
    {
        if (_written >= MostBytes)
            throw new IOException($"it has reached {MostBytes >> 30} GiB");
        if (runEvent is StepTimed step)
            Write(step);
        else
            WriteInstant(RunText.Line(runEvent)!, (at - _startUtc).TotalMicroseconds);
    }

    /// <inheritdoc/>
    public void Flush() => _stream.Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        using var stream = _stream;
        _stream.Write("\n]\n"u8);
        _json.Dispose();
    }

    private void Write(StepTimed step)
    {
        var row = Math.Max(AloneRow, step.Worker);
        NameRow(row, step.Name);
        var from = (step.Began - _start).TotalMicroseconds;
        foreach (var span in step.Spans)
        {
            var (part, length) = (span & ((1 << StepTimeline.PartBits) - 1), span >> StepTimeline.PartBits);
            var name = part == (uint)StepPart.Compute && !step.IsTraining ? "evaluate" : Parts[part];
            Begin(name, "X", row, from);
            _json.WriteNumber("dur", length);
            _json.WriteStartObject("args");
            _json.WriteNumber("step", step.Step);
            _json.WriteEndObject();
            End();
            from += length;
        }
    }

    private void WriteInstant(string text, double at)
    {
        Begin(text, "i", RunRow, at);
        _json.WriteString("s", "g"); // a line across all rows
        End();
    }

    private void NameRow(int row, string name)
    {
        if (_named.Add(row))
            Name("thread_name", row, name);
    }

    private void Name(string what, int row, string name)
    {
        Begin(what, "M", row, at: 0);
        _json.WriteStartObject("args");
        _json.WriteString("name", name);
        _json.WriteEndObject();
        End();
    }

    private void Begin(string name, string phase, int row, double at)
    {
        _json.WriteStartObject();
        _json.WriteString("name", name);
        _json.WriteString("ph", phase);
        _json.WriteNumber("pid", 1);
        _json.WriteNumber("tid", row);
        _json.WriteNumber("ts", Math.Round(at));
    }

    private void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        if (_written > 0)
            _stream.Write(",\n"u8);
        _line.WriteTo(_stream);
        _written += _line.Length;
        _line.SetLength(0);
        _json.Reset();
    }
}
