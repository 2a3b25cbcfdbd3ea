using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>What a <see cref="ReceiveWatch"/> does with a connection until it looks again.</summary>
internal enum Watching
{
    /// <summary>It receives as soon as something comes.</summary>
    Now,

    /// <summary>Something has come that could not be taken: it tries again in a while.</summary>
    Again,

    /// <summary>Somebody else receives: it looks in a while whether that is still so.</summary>
    Later,

    /// <summary>Nothing, until it is told.</summary>
    Never,
}

/// <summary>
/// One thread that receives for connections as soon as something comes, unless another thread receives by itself. It waits with the
/// system's plain call, for the runtime's own watch over a socket cannot be ended: it would be woken by all that comes, whoever receives
/// it.
/// </summary>
public sealed class ReceiveWatch : IDisposable
{
    /// <summary>
    /// How long a connection is left to the thread that has received from it: 20 ms. That is longer than it computes between two looks at
    /// small models, and short beside what fills a socket's memory at others.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Dictionary<Socket, ReceivingConnection> _connections = [];
    private readonly SocketWaker _waker = new();
    private readonly List<Socket> _watched = [];
    private readonly List<ReceivingConnection> _all = [];
    private readonly List<ReceivingConnection> _again = [];
    private readonly Thread _thread;
    private volatile bool _isOver;

    /// <summary>Begins with no connection.</summary>
    public ReceiveWatch()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "receive watch" };
        _thread.Start();
    }

    /// <summary>Ends the thread; connections that are left are received from no more.</summary>
    public void Dispose()
    {
        if (_isOver)
            return;
        _isOver = true;
        Wake();
        _thread.Join();
        _waker.Dispose();
    }

    /// <summary>Watches a connection from now on.</summary>
    internal void Add(ReceivingConnection connection)
    {
        lock (_lock)
            _connections.Add(connection.Socket, connection);
        Wake();
    }

    /// <summary>Forgets a connection.</summary>
    internal void Remove(ReceivingConnection connection)
    {
        lock (_lock)
            _connections.Remove(connection.Socket);
        Wake();
    }

    /// <summary>Looks again at what there is to watch.</summary>
    internal void Wake() => _waker.Wake();

    private void Run()
    {
        while (!_isOver)
        {
            var timeout = Choose() ? Patience : Timeout.InfiniteTimeSpan;
            try
            {
                Socket.Select(_watched, null, null, timeout);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                continue; // one was closed meanwhile
            }

            Receive();
        }
    }

    // Whether to look again in a while.
    private bool Choose()
    {
        _all.Clear();
        _again.Clear();
        _watched.Clear();
        _watched.Add(_waker.Socket);
        lock (_lock)
            _all.AddRange(_connections.Values);
        var again = false;
        foreach (var connection in _all)
        {
            var watching = connection.Watching();
            again |= watching is Watching.Again or Watching.Later;
            if (watching == Watching.Now)
                _watched.Add(connection.Socket);
            else if (watching == Watching.Again)
                _again.Add(connection);
        }

        return again;
    }

    private void Receive()
    {
        foreach (var socket in _watched)
        {
            if (socket == _waker.Socket)
                _waker.Rest();
            else if (Find(socket) is { } connection)
                connection.ReceiveInBackground();
        }

        foreach (var connection in _again)
            connection.ReceiveInBackground();
    }

    private ReceivingConnection? Find(Socket socket)
    {
        lock (_lock)
            return _connections.GetValueOrDefault(socket);
    }
}
