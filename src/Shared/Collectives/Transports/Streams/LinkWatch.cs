using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>
/// One thread of the process that receives for links while no compute thread does, sends what their sockets did not take at once, and
/// pings. It blocks in select because a socket cannot be withdrawn from the runtime's own event loop, which would wake for all that
/// arrives, even if the compute thread receives it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
internal sealed class LinkWatch
{
    /// <summary>
    /// How long a link is left to the compute thread that has received from it: 20 ms. That is longer than it computes between two
    /// polls on small models, and short beside what fills a socket's memory at others.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// How long sending is left to a compute thread that waits and may stop waiting at any time: 1 ms.
    /// </summary>
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(1);

    /// <summary>From one ping to the next.</summary>
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(1);

    private static readonly Lazy<LinkWatch> OfProcess = new(() => new LinkWatch());

    private readonly Lock _lock = new();
    private readonly Socket _waker = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
    private readonly HashSet<StreamLink> _links = []; // under the lock; what follows is the thread's own
    private readonly List<StreamLink> _current = [];
    private readonly List<Socket> _readable = [];
    private readonly List<Socket> _writable = [];
    private long _pinged = Stopwatch.GetTimestamp(); // of a clock that nobody sets: links without pings count as dead

    private LinkWatch()
    {
        _waker.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // what it sends comes back to it
        _waker.Connect(_waker.LocalEndPoint!);
        new Thread(Run) { IsBackground = true, Name = "link watch" }.Start();
    }

    /// <summary>The process's.</summary>
    public static LinkWatch Shared => OfProcess.Value;

    /// <summary>Watches a link from now on.</summary>
    public void Add(StreamLink link)
    {
        lock (_lock)
            _links.Add(link);
        Wake();
    }

    /// <summary>Forgets a link.</summary>
    public void Remove(StreamLink link)
    {
        lock (_lock)
            _links.Remove(link);
        Wake();
    }

    /// <summary>Makes the thread re-evaluate what to watch.</summary>
    public void Wake() => _waker.Send([0], SocketFlags.None, out _); // if the buffer is full, datagrams that wake it are pending

    private void Run()
    {
        while (true)
        {
            var timeout = Choose();
            try
            {
                Socket.Select(_readable, _writable, null, timeout);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                continue; // one was closed meanwhile
            }

            Serve();
        }
    }

    // When to look again.
    private TimeSpan Choose()
    {
        _current.Clear();
        _readable.Clear();
        _writable.Clear();
        _readable.Add(_waker);
        lock (_lock)
            _current.AddRange(_links);
        var timeout = PingInterval;
        foreach (var link in _current)
        {
            var interest = link.Interest();
            if (interest.HasFlag(LinkInterest.Soon))
                timeout = Glance;
            else if (interest.HasFlag(LinkInterest.Later) && timeout > Patience)
                timeout = Patience;
            if (interest.HasFlag(LinkInterest.Read))
                _readable.Add(link.Socket!);
            if (interest.HasFlag(LinkInterest.Write))
                _writable.Add(link.Socket!);
        }

        return timeout;
    }

    private void Serve()
    {
        Span<byte> rings = stackalloc byte[64];
        if (_readable.Contains(_waker))
            _waker.Receive(rings, SocketFlags.None, out _);
        var pings = Stopwatch.GetElapsedTime(_pinged) >= PingInterval;
        foreach (var link in _current)
        {
            if (_writable.Contains(link.Socket!))
                link.Flush();
            if (_readable.Contains(link.Socket!) || link.IsHeldUp)
                link.ReceiveAvailable();
            if (pings)
                link.Ping();
        }

        if (pings)
            _pinged = Stopwatch.GetTimestamp();
    }
}
