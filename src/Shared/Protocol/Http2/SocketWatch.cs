using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// Tells when sockets can be read from or written to, on one thread for the whole process. It asks by the system's plain call: the
/// runtime's own watch over a socket is woken by all that happens to it, and a Unix domain socket tells of each piece that the other side
/// has read.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
internal sealed class SocketWatch
{
    private static readonly Lazy<SocketWatch> OfProcess = new(() => new SocketWatch());

    private readonly Lock _lock = new();
    private readonly SocketWaker _waker = new();
    private readonly List<Waiter> _waiters = []; // under the lock; what follows is the thread's own
    private readonly List<Waiter> _ready = [];
    private readonly List<Socket> _readable = [];
    private readonly List<Socket> _writable = [];

    private SocketWatch() => new Thread(Run) { IsBackground = true, Name = "socket watch" }.Start();

    /// <summary>The process's.</summary>
    public static SocketWatch Shared => OfProcess.Value;

    /// <summary>Waits until something can be read, or the connection has ended.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed meanwhile; its owner must say so by <see cref="Forget"/>.</exception>
    public Task UntilReadableAsync(Socket socket, CancellationToken cancellationToken) =>
        WaitAsync(socket, writes: false, cancellationToken);

    /// <summary>Waits until something can be written, likewise.</summary>
    /// <exception cref="ObjectDisposedException">The socket is closed meanwhile.</exception>
    public Task UntilWritableAsync(Socket socket, CancellationToken cancellationToken) =>
        WaitAsync(socket, writes: true, cancellationToken);

    /// <summary>Ends all waiting for a socket that has been closed, which the system would not tell.</summary>
    public void Forget(Socket socket)
    {
        lock (_lock)
        {
            foreach (var waiter in _waiters)
                waiter.IsForgotten |= waiter.Socket == socket;
        }

        _waker.Wake();
    }

    private async Task WaitAsync(Socket socket, bool writes, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(socket, writes);
        await using var giving = cancellationToken.Register(() => waiter.Completion.TrySetCanceled(cancellationToken));
        lock (_lock)
            _waiters.Add(waiter);
        _waker.Wake();
        await waiter.Completion.Task;
    }

    private void Run()
    {
        while (true)
        {
            Choose();
            try
            {
                Socket.Select(_readable, _writable, null, Timeout.InfiniteTimeSpan);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                continue; // one was closed meanwhile
            }

            Tell();
        }
    }

    private void Choose()
    {
        _readable.Clear();
        _writable.Clear();
        _readable.Add(_waker.Socket);
        lock (_lock)
        {
            foreach (var waiter in _waiters)
                waiter.IsForgotten |= waiter.IsClosed;
            _ready.AddRange(_waiters.Where(waiter => waiter.IsForgotten));
            _waiters.RemoveAll(waiter => waiter.IsForgotten || waiter.Completion.Task.IsCompleted);
            _readable.AddRange(_waiters.Where(waiter => !waiter.Writes).Select(waiter => waiter.Socket));
            _writable.AddRange(_waiters.Where(waiter => waiter.Writes).Select(waiter => waiter.Socket));
        }

        Complete(waiter => waiter.Completion.TrySetException(new ObjectDisposedException(nameof(Socket))));
    }

    private void Tell()
    {
        if (_readable.Contains(_waker.Socket))
            _waker.Rest();
        lock (_lock)
        {
            _ready.AddRange(_waiters.Where(waiter => !waiter.IsClosed && (waiter.Writes ? _writable : _readable).Contains(waiter.Socket)));
            _waiters.RemoveAll(_ready.Contains);
        }

        Complete(waiter => waiter.Completion.TrySetResult());
    }

    private void Complete(Action<Waiter> complete)
    {
        _ready.ForEach(complete);
        _ready.Clear();
    }

    private sealed class Waiter(Socket socket, bool writes)
    {
        public Socket Socket => socket;

        public bool Writes => writes;

        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsForgotten { get; set; }

        /// <summary>
        /// The runtime ends the connection of a socket that it closes while somebody asks for it, so that it can also be read from.
        /// </summary>
        public bool IsClosed => Socket.SafeHandle.IsClosed;
    }
}
