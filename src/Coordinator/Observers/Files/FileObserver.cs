using System.Threading.Channels;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers.Files;

/// <summary>
/// Writes a file for other tools on a thread of its own: a disk that is slow, hangs or is full never holds up a step. What it does not take is lost,
/// and said once.
/// </summary>
internal sealed class FileObserver : IRunObserver, IAsyncDisposable
{
    /// <summary>The most events that wait; of 16 workers' steps those of several seconds.</summary>
    public const int MostWaiting = 1 << 16;

    /// <summary>How long what happened last may take to be written once the run is over.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly IEventFile _file;
    private readonly TimeProvider _time;
    private readonly IRunObserver _run;
    private readonly Channel<(RunEvent Event, DateTimeOffset At)> _waiting;
    private readonly Task _writing;
    private volatile Exception? _failure;
    private bool _hasTold;
    private long _lost;

    /// <summary>Begins to write.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">Writes it; disposed of with this object.</param>
    /// <param name="time">The clock.</param>
    /// <param name="run">Receives the warnings.</param>
    public FileObserver(string path, IEventFile file, TimeProvider time, IRunObserver run)
    {
        (_path, _file, _time, _run) = (path, file, time, run);
        _waiting = Channel.CreateBounded<(RunEvent, DateTimeOffset)>(
            new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite },
            _ => Interlocked.Increment(ref _lost)
        );
        _writing = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public string Name => Path.GetFileName(_path);

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (_failure is null && _file.Takes(runEvent))
            _waiting.Writer.TryWrite((runEvent, _time.GetUtcNow()));
        Tell();
    }

    /// <inheritdoc/>
    public async ValueTask SettleAsync(bool complete)
    {
        if (!complete)
            return;
        _waiting.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(ClosingTime, _time));
        if (!_writing.IsCompleted && _failure is null)
            _failure = new IOException("the disk does not answer");
        Tell();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await Task.WhenAny(_writing, Task.Delay(ClosingTime, _time));
    }

    private void WriteAll()
    {
        try
        {
            var reader = _waiting.Reader;
            while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (reader.TryRead(out var next))
                    _file.Write(next.Event, next.At);
                _file.Flush();
            }

            _file.Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _failure = exception;
            Abandon();
        }
    }

    private void Abandon()
    {
        try
        {
            _file.Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Told already.
        }
    }

    private void Tell()
    {
        if (_hasTold || (_failure is null && Interlocked.Read(ref _lost) == 0))
            return;
        _hasTold = true;
        var reason = _failure is { } failure
            ? $"cannot be written ({WriteFailures.Reason(failure)}): what comes is missing in it"
            : "cannot be written as fast as the run goes on: some of it is missing";
        _run.Report(new RunWarning($"{_path}: {reason}, and training goes on"));
    }
}
