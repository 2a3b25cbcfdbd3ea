using System.Buffers;
using System.Text.Json;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// What one browser is told of a run, as server-sent events: first all, then what is new, at most twice a second. There is no queue: a browser
/// that does not read holds up its own stream alone, and the next event brings it up to date.
/// </summary>
/// <param name="model">The run.</param>
/// <param name="time">The clock.</param>
internal sealed class NewsStream(DashboardModel model, TimeProvider time)
{
    /// <summary>From one event to the next.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Without news something is sent after this, so that both ends notice when the other has gone.</summary>
    private const int MostSilentIntervals = 20;

    private readonly Cursor _cursor = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>Sends events until the run has ended, or the token ends it.</summary>
    /// <param name="write">Sends bytes; completes when they are on their way.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunAsync(Func<ReadOnlyMemory<byte>, CancellationToken, Task> write, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var silent = 0;
        await write(First(), cancellation);
        while (!model.Ended.IsCompleted)
        {
            var tick = timer.WaitForNextTickAsync(cancellation).AsTask();
            if (await Task.WhenAny(tick, model.Ended) == tick)
                await tick;
            silent++;
            if (_cursor.Version == model.Version && silent < MostSilentIntervals)
                continue;
            silent = 0;
            await write(News(), cancellation);
        }

        if (_cursor.Version != model.Version)
            await write(News(), cancellation);
    }

    /// <summary>All that there is to show, as one object.</summary>
    public static byte[] Everything(DashboardModel model)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(buffer, json => Hello(json, model), model, new Cursor());
        return buffer.WrittenSpan.ToArray();
    }

    private ReadOnlyMemory<byte> First() => Event(json => Hello(json, model));

    private ReadOnlyMemory<byte> News() => Event(_ => { });

    private ReadOnlyMemory<byte> Event(Action<Utf8JsonWriter> begin)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("data: "u8);
        Write(_buffer, begin, model, _cursor);
        _buffer.Write("\n\n"u8);
        return _buffer.WrittenMemory;
    }

    private static void Hello(Utf8JsonWriter json, DashboardModel model)
    {
        json.WriteString("version", PageFiles.Version);
        ModelJson.Write(json, model.Facts);
    }

    private static void Write(IBufferWriter<byte> buffer, Action<Utf8JsonWriter> begin, DashboardModel model, Cursor cursor)
    {
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        begin(json);
        model.WriteNews(cursor, json);
        json.WriteEndObject();
    }
}
