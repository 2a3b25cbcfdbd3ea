using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Distributed.Kernels.Threads;

/// <summary>
/// A fixed number of persistent threads, the caller being one of them, that carry out the parts of a <see cref="IPartitionedWork"/>
/// together. A thread that waits looks for a millisecond, letting others go first after a few microseconds, and blocks after that. One
/// thread at a time may use it. What a part runs is carried out by that part's thread alone.
/// </summary>
/// <remarks>
/// Work that is bound by memory gains little from a second thread, while work that is bound by arithmetic leaves the memory idle. So what
/// is deferred is carried out beside the next run, by half of the threads before their parts of that and by the others after them.
/// </remarks>
public sealed unsafe class ComputeTeam : IDisposable
{
    // Two threads meet in half a microsecond where each has a core. Where they have to share one, each turn of a waiting thread costs
    // the other this long: with a third busy process on two cores, a step on two threads takes 3.4 ms if it is 50 microseconds, 2.3 ms if
    // it is 2.
    private static readonly long YieldTicks = Stopwatch.Frequency / 500_000; // 2 microseconds

    // Longer than parts that should be equal differ: to wake a thread on a core that has gone to sleep takes longer than most kernels. On
    // two idle cores, a step of cnn on two threads takes 10.2 ms if this is 50 microseconds, 7.5 ms if it is a millisecond.
    private static readonly long BlockTicks = Stopwatch.Frequency / 1_000; // 1 millisecond

    // The part that a thread is carrying out, counted from 1; 0 where it is none.
    [ThreadStatic]
    private static int _partOfThread;

    private readonly Thread[] _helpers;
    private readonly object _gate = new();
    private readonly DeferredWork _deferred = new();
    private readonly AlignedBuffer[] _scratch; // for what runs outside of parts, and for what each part runs
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
            var part = i + 1;
            _helpers[i] = new Thread(() => Help(part)) { IsBackground = true, Name = $"compute {part}" };
            _helpers[i].Start();
        }
    }

    /// <summary>The number of parts of every run: the helpers and the caller.</summary>
    public int Threads { get; }

    /// <summary>Threads that have stopped spinning and block.</summary>
    internal int Sleepers => Volatile.Read(ref _sleepers);

    /// <summary>
    /// Carries out all parts, and all that was deferred, and returns when the last is done. The first exception of a part is thrown again
    /// here, and keeps no other part from being carried out. In a part of any team, the calling thread carries out the work alone, as one
    /// part.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread's run is under way.</exception>
    public void Run<TWork>(TWork work)
        where TWork : unmanaged, IPartitionedWork
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Threads == 1 || _partOfThread != 0)
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
    internal void RunObject(IPartitionedWork work)
    {
        using var held = new GCHandle<IPartitionedWork>(work);
        Run(new HeldWork(held));
    }

    /// <summary>
    /// Runs work that no other depends on: between <see cref="BeginDeferring"/> and <see cref="EndDeferring"/>, if there is a helper,
    /// some time until then, else at once. What it points to must neither change nor move before. A part may not defer.
    /// </summary>
    public void Defer<TWork>(TWork work)
        where TWork : unmanaged, IPartitionedWork
    {
        if (_deferred.Count == DeferredWork.Capacity)
            CompleteDeferred();
        if (!_defers || !_deferred.TryAdd(&Invoke<TWork>, work))
            Run(work);
    }

    /// <summary>From here on, what is deferred waits for the next run.</summary>
    public void BeginDeferring() => _defers = Threads > 1;

    /// <summary>Carries out what still waits; from here on, nothing does.</summary>
    public void EndDeferring()
    {
        _defers = false;
        CompleteDeferred();
    }

    /// <summary>Carries out what still waits.</summary>
    public void CompleteDeferred()
    {
        if (_deferred.Count > 0)
            Run(default(Nothing));
        Interlocked.MemoryBarrier(); // for stores past the caches by the caller's parts, as in StreamingStore.Defer
    }

    /// <summary>Keeps the threads of the team, of which the caller is one, to some processors.</summary>
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
    /// Aligned memory of <paramref name="length"/> floats for each part that a run would have here, one after the other, with what the last
    /// user left in it. It is valid until the next call from the same part, or from outside of parts, as long as the team is reachable.
    /// </summary>
    internal float* Scratch(int length)
    {
        ref var scratch = ref _scratch[Math.Min(_partOfThread, Threads)]; // the part may be one of a larger team, and alone here
        var parts = _partOfThread == 0 ? Threads : 1;
        if (scratch.Length < (long)length * parts)
            scratch = new AlignedBuffer(checked(length * parts));
        return scratch.Pointer;
    }

    private static void Invoke<TWork>(void* work, int part, int parts)
        where TWork : unmanaged, IPartitionedWork => ((TWork*)work)->Execute(part, parts);

    private void Start(delegate* <void*, int, int, void> execute, void* work)
    {
        _execute = execute;
        _work = work;
        _pending = _helpers.Length;
        Interlocked.Increment(ref _generation); // publishes the fields above; the full fence orders it before the look at the sleepers
        WakeSleepers();
    }

    private void Carry(int part)
    {
        _partOfThread = part + 1;
        var deferredFirst = part % 2 == 0;
        if (deferredFirst)
            RunDeferred(part);
        Carry(_execute, _work, part);
        if (!deferredFirst)
            RunDeferred(part);
        _partOfThread = 0;
    }

    private void RunDeferred(int part)
    {
        for (var i = 0; i < _deferred.Count; i++)
        {
            var work = _deferred.At(i, out var execute);
            Carry(execute, work, part);
        }
    }

    private void Carry(delegate* <void*, int, int, void> execute, void* work, int part)
    {
        try
        {
            execute(work, part, Threads);
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
    }

    private void Help(int part)
    {
        for (var seen = 0; AwaitGeneration(seen); seen++)
        {
            Carry(part);
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
    /// Waits for a short time while (<paramref name="field"/> == <paramref name="value"/>) is <paramref name="equal"/>: first without a
    /// pause, then letting the other threads of this core go first, of which one may be the one that is waited for.
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
    /// Blocks while (<paramref name="field"/> == <paramref name="value"/>) is <paramref name="equal"/>, or until woken for another reason.
    /// </summary>
    private void Sleep(ref int field, int value, bool equal)
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _sleepers); // before the last look at the field: whoever changes it after that sees a sleeper
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

    private readonly struct HeldWork(GCHandle<IPartitionedWork> work) : IPartitionedWork
    {
        public void Execute(int part, int parts) => work.Target.Execute(part, parts);
    }

    private readonly struct Nothing : IPartitionedWork
    {
        public void Execute(int part, int parts) { }
    }
}
