using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Distributed.Kernels.Threads;

/// <summary>
/// A fixed number of persistent threads, the caller being one of them, that carry out the chunks of an <see cref="IChunkedWork"/> together.
/// A thread that waits spins for up to 1 ms, yielding after 2 us, then blocks. One thread at a time may use the team. Work that a chunk
/// runs on a team is executed by that chunk's thread alone.
/// </summary>
/// <remarks>
/// Work that is bound by memory gains little from a second thread, while work that is bound by arithmetic leaves the memory idle. So
/// deferred work is executed during the next run: by half of the threads before their chunks of that run, by the others after them.
/// </remarks>
internal sealed unsafe class ComputeTeam : IDisposable
{
    // Two threads meet within half a microsecond if each has a core. If they share one, a waiting thread holds up the other for this long:
    // with a third busy process on two cores, a step on two threads takes 3.4 ms if it is 50 microseconds, 2.3 ms if it is 2.
    private static readonly long YieldTicks = Stopwatch.Frequency / 500_000; // 2 microseconds

    // Longer than the difference between chunks of equal size: waking a thread on a core that has gone to sleep takes longer than most
    // kernels. On two idle cores, a step of cnn on two threads takes 10.2 ms if this is 50 microseconds, 7.5 ms if it is a millisecond.
    private static readonly long BlockTicks = Stopwatch.Frequency / 1_000; // 1 millisecond

    // The chunk that a thread is carrying out, counted from 1, or 0.
    [ThreadStatic]
    private static int _chunkOfThread;

    private readonly Thread[] _helpers;
    private readonly object _gate = new();
    private readonly DeferredWork _deferred = new();
    private readonly AlignedBuffer[] _scratch; // for callers outside of chunks, and for each chunk
    private delegate* <void*, int, int, void> _execute;
    private void* _work;
    private ExceptionDispatchInfo? _failure;
    private int _generation;
    private int _pending;
    private int _sleepers;
    private int _busy;
    private bool _defers;
    private volatile bool _disposed;

    /// <summary>Starts <paramref name="threads"/> - 1 helpers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one thread.</exception>
    public ComputeTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _scratch = [.. Enumerable.Range(0, threads + 1).Select(_ => new AlignedBuffer(0))];
        _helpers = new Thread[threads - 1];
        for (var i = 0; i < _helpers.Length; i++)
        {
            var chunk = i + 1;
            _helpers[i] = new Thread(() => Help(chunk)) { IsBackground = true, Name = $"compute {chunk}" };
            _helpers[i].Start();
        }
    }

    /// <summary>The number of chunks of every run: one for each helper and one for the caller.</summary>
    public int Threads { get; }

    /// <summary>Threads that have stopped spinning and block.</summary>
    internal int Sleepers => Volatile.Read(ref _sleepers);

    /// <summary>
    /// Executes all chunks, and all deferred work, and returns when the last is done. The first exception of a chunk is rethrown here;
    /// the other chunks run nonetheless. Inside a chunk of any team, the calling thread executes the work alone, as one chunk.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread's run is under way.</exception>
    public void Run<TWork>(TWork work)
        where TWork : unmanaged, IChunkedWork
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Threads == 1 || _chunkOfThread != 0)
        {
            work.Execute(0, 1);
            return;
        }

        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException("A compute team runs the work of one thread at a time.");
        Start(&Invoke<TWork>, &work);
        Carry(0);
        AwaitHelpers();
        var failure = _failure;
        _failure = null;
        _deferred.Clear();
        Volatile.Write(ref _busy, 0);
        failure?.Throw();
    }

    /// <summary>As <see cref="Run{TWork}(TWork)"/>, for work that holds objects.</summary>
    /// <inheritdoc cref="Run{TWork}(TWork)" path="/exception"/>
    internal void RunObject(IChunkedWork work)
    {
        using var held = new GCHandle<IChunkedWork>(work);
        Run(new HeldWork(held));
    }

    /// <summary>
    /// Runs work whose results are not needed at once: between <see cref="BeginDeferring"/> and <see cref="EndDeferring"/>, if there is a
    /// helper, by the latter at the latest, otherwise now. Until then, what it points to must not change or move. A chunk may not defer.
    /// </summary>
    public void Defer<TWork>(TWork work)
        where TWork : unmanaged, IChunkedWork
    {
        if (_deferred.Count == DeferredWork.Capacity)
            CompleteDeferred();
        if (!_defers || !_deferred.TryAdd(&Invoke<TWork>, work))
            Run(work);
    }

    /// <summary>From here on, deferred work waits for the next run.</summary>
    public void BeginDeferring() => _defers = Threads > 1;

    /// <summary>Executes all pending deferred work; from here on, work is no longer deferred.</summary>
    public void EndDeferring()
    {
        _defers = false;
        CompleteDeferred();
    }

    /// <summary>Executes all pending deferred work.</summary>
    public void CompleteDeferred()
    {
        if (_deferred.Count > 0)
            Run(default(Nothing));
        Interlocked.MemoryBarrier(); // for stores past the caches by the caller's chunks, as in StreamingStore.Defer
    }

    /// <summary>Restricts the threads of the team, of which the caller is one, to some processors.</summary>
    /// <param name="processors">Some of <see cref="ThreadAffinity.Allowed"/>.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses.</exception>
    public void Pin(IEnumerable<int> processors) => Run(new ThreadAffinity.Binding(ThreadAffinity.ProcessorSet.Of(processors)));

    /// <summary>Ends and joins the helpers.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        lock (_gate)
            Monitor.PulseAll(_gate);
        foreach (var helper in _helpers)
            helper.Join();
    }

    /// <summary>
    /// Aligned memory of <paramref name="length"/> floats for each chunk of a run from here, one after the other. It is not cleared, and
    /// valid until the next call from the same chunk, or from outside of chunks, as long as the team is reachable.
    /// </summary>
    internal float* Scratch(int length)
    {
        ref var scratch = ref _scratch[Math.Min(_chunkOfThread, Threads)]; // the chunk may belong to a larger team
        var chunks = _chunkOfThread == 0 ? Threads : 1;
        if (scratch.Length < (long)length * chunks)
            scratch = new AlignedBuffer(checked(length * chunks));
        return scratch.Pointer;
    }

    private static void Invoke<TWork>(void* work, int chunk, int chunks)
        where TWork : unmanaged, IChunkedWork => ((TWork*)work)->Execute(chunk, chunks);

    private void Start(delegate* <void*, int, int, void> execute, void* work)
    {
        _execute = execute;
        _work = work;
        _pending = _helpers.Length;
        Interlocked.Increment(ref _generation); // publishes the fields above; the full fence orders it before the sleepers are read
        WakeSleepers();
    }

    private void Carry(int chunk)
    {
        _chunkOfThread = chunk + 1;
        var deferredFirst = chunk % 2 == 0;
        if (deferredFirst)
            RunDeferred(chunk);
        Carry(_execute, _work, chunk);
        if (!deferredFirst)
            RunDeferred(chunk);
        _chunkOfThread = 0;
    }

    private void RunDeferred(int chunk)
    {
        for (var i = 0; i < _deferred.Count; i++)
        {
            var work = _deferred.At(i, out var execute);
            Carry(execute, work, chunk);
        }
    }

    private void Carry(delegate* <void*, int, int, void> execute, void* work, int chunk)
    {
        try
        {
            execute(work, chunk, Threads);
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
    }

    private void Help(int chunk)
    {
        for (var seen = 0; AwaitGeneration(seen); seen++)
        {
            Carry(chunk);
            if (Interlocked.Decrement(ref _pending) == 0)
                WakeSleepers();
        }
    }

    /// <summary>True when there is work after generation <paramref name="seen"/>, false when the team ends.</summary>
    private bool AwaitGeneration(int seen)
    {
        Spin(ref _generation, seen, equal: true);
        while (Volatile.Read(ref _generation) == seen && !_disposed)
            Sleep(ref _generation, seen, equal: true);
        return Volatile.Read(ref _generation) != seen;
    }

    private void AwaitHelpers()
    {
        Spin(ref _pending, 0, equal: false);
        while (Volatile.Read(ref _pending) != 0)
            Sleep(ref _pending, 0, equal: false);
    }

    /// <summary>
    /// Spins for a short time while (<paramref name="field"/> == <paramref name="value"/>) is <paramref name="equal"/>. After a few
    /// microseconds it yields the core, which the awaited thread may need.
    /// </summary>
    private static void Spin(ref int field, int value, bool equal)
    {
        var start = Stopwatch.GetTimestamp();
        while ((Volatile.Read(ref field) == value) == equal)
        {
            var waited = Stopwatch.GetTimestamp() - start;
            if (waited > BlockTicks)
                return;
            if (waited > YieldTicks)
                Thread.Yield();
            else
                Thread.SpinWait(1);
        }
    }

    /// <summary>
    /// Blocks while (<paramref name="field"/> == <paramref name="value"/>) is <paramref name="equal"/>, with spurious wake-ups.
    /// </summary>
    private void Sleep(ref int field, int value, bool equal)
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _sleepers); // before the field is read again: a change after that sees a sleeper
            if ((Volatile.Read(ref field) == value) == equal && !(equal && _disposed))
                Monitor.Wait(_gate);
            Interlocked.Decrement(ref _sleepers);
        }
    }

    private void WakeSleepers()
    {
        if (Volatile.Read(ref _sleepers) == 0)
            return;
        lock (_gate)
            Monitor.PulseAll(_gate);
    }

    private readonly struct HeldWork(GCHandle<IChunkedWork> work) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => work.Target.Execute(chunk, chunks);
    }

    private readonly struct Nothing : IChunkedWork
    {
        public void Execute(int chunk, int chunks) { }
    }
}
