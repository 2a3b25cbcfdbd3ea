using System.Runtime.InteropServices;
using Distributed.Checkpoints;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// Searches the states of a run for mistakes on a thread of its own, which gives way to all others: it takes at most a twentieth of a core, and
/// a state that comes while it is busy takes the place of the one that waits.
/// </summary>
internal sealed partial class MistakeSearch : IAsyncDisposable
{
    /// <summary>How long a search may take; it shows what it has found until then.</summary>
    public static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    /// <summary>The same at the end of a run, which waits for it.</summary>
    public static readonly TimeSpan MostTimeAtEnd = TimeSpan.FromSeconds(0.5);

    /// <summary>After a search, how many times as long as it took nothing is searched.</summary>
    private const int RestFactor = 19;

    private const int ProcessOrThread = 0; // PRIO_PROCESS; of it, 0 is the calling thread
    private const int Nicest = 19;

    private readonly Func<long, ReadOnlyMemory<float>, Func<bool>, Mistakes> _find;
    private readonly Action<Mistakes> _found;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _offered = new(0);
    private readonly CancellationTokenSource _ending = new();
    private readonly Thread _thread;
    private Offered? _waiting;

    /// <summary>Begins to wait for states.</summary>
    /// <param name="find">Looks for the mistakes of a state, until it is told that the time is over.</param>
    /// <param name="found">Takes them, on the thread that searches.</param>
    /// <param name="time">The clock.</param>
    public MistakeSearch(Func<long, ReadOnlyMemory<float>, Func<bool>, Mistakes> find, Action<Mistakes> found, TimeProvider time)
    {
        (_find, _found, _time) = (find, found, time);
        _thread = new Thread(Run)
        {
            IsBackground = true,
            Name = "mistakes",
            Priority = ThreadPriority.Lowest,
        };
        _thread.Start();
    }

    /// <summary>Why searching has ended for good; null while it has not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Offers a state. Only its weights are kept, and only until they have been searched.</summary>
    public void Offer(Checkpoint state)
    {
        lock (_lock)
        {
            if (_waiting is null)
                _offered.Release();
            _waiting = new Offered(state.Step, state.Weights);
        }
    }

    /// <summary>Searches the state that waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _offered.Release();
        await Task.Run(_thread.Join);
        _ending.Dispose();
        _offered.Dispose();
    }

    private void Run()
    {
        try
        {
            if (OperatingSystem.IsLinux())
                _ = SetPriority(ProcessOrThread, 0, Nicest); // .NET has no priorities there; refused nowhere, and harmless if it were
            while (Next() is { } state)
                Search(state);
        }
        catch (Exception exception)
        {
            Failure = exception; // what people see decides nothing
        }
    }

    private Offered? Next()
    {
        _offered.Wait();
        lock (_lock)
        {
            var next = _waiting;
            _waiting = null;
            return next;
        }
    }

    // Nothing here may begin a timer or queue work: a thread that this one started would inherit its priority.
    private void Search(Offered state)
    {
        var start = _time.GetTimestamp();
        _found(
            _find(state.Step, state.Weights, () =>
                _time.GetElapsedTime(start) > (_ending.IsCancellationRequested ? MostTimeAtEnd : MostTime)
            )
        );
        _ending.Token.WaitHandle.WaitOne(_time.GetElapsedTime(start) * RestFactor);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);

    private sealed record Offered(long Step, ReadOnlyMemory<float> Weights);
}
