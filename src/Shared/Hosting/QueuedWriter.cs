using System.Text;
using System.Threading.Channels;

namespace Distributed.Hosting;

/// <summary>
/// Writes on a thread of its own, for what people see: a reader that is slow, stuck or gone neither holds up nor fails those who write.
/// What it does not take is lost, and said to be where anything can still be said.
/// </summary>
internal sealed class QueuedWriter : TextWriter
{
    /// <summary>The most writes that wait; a line is one.</summary>
    private const int QueueLength = 1 << 16;

    private readonly TextWriter _inner;
    private readonly Action<Exception>? _failed;
    private readonly Task _writing;
    private readonly Channel<string> _queue;
    private long _lost;

    /// <summary>Begins to write.</summary>
    /// <param name="inner">Where to; stays the caller's, and nothing else may write to it meanwhile.</param>
    /// <param name="failed">Called once, on the thread that writes, if no more can be written; or null.</param>
    public QueuedWriter(TextWriter inner, Action<Exception>? failed = null)
    {
        _failed = failed;
        _inner = inner;
        NewLine = inner.NewLine;
        _queue = Channel.CreateBounded<string>(
            new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite },
            _ => Interlocked.Increment(ref _lost)
        );
        _writing = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc />
    public override Encoding Encoding => _inner.Encoding;

    /// <inheritdoc />
    public override void Write(char value) => _queue.Writer.TryWrite(value.ToString());

    /// <inheritdoc />
    public override void Write(string? value) => _queue.Writer.TryWrite(value ?? "");

    /// <inheritdoc />
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc />
    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    /// <inheritdoc />
    public override void WriteLine() => Write(NewLine);

    /// <inheritdoc />
    public override void WriteLine(string? value) => Write(value + NewLine);

    /// <summary>Writes what is left, as far as it is taken in a time, and nothing afterwards.</summary>
    /// <param name="atMost">How long.</param>
    public async Task CompleteAsync(TimeSpan atMost)
    {
        _queue.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(atMost));
    }

    private void WriteAll()
    {
        try
        {
            while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (_queue.Reader.TryRead(out var text))
                    _inner.Write(text);
                if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
                    _inner.WriteLine($"({lost} lines are missing here: they were not taken in time)");
                _inner.Flush();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            _queue.Writer.TryComplete(); // no reader is left, or no space
            _failed?.Invoke(exception);
        }
    }
}
