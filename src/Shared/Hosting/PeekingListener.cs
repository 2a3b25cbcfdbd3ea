using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Collectives.Transports.Streams;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Hosting;

/// <summary>
/// Listens for the server on a port that raw streams of gradients share with HTTP/2: the first byte of a connection tells which it is.
/// </summary>
/// <param name="ports">What is listened on already.</param>
/// <param name="directory">Knows the tickets that raw streams begin with.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Is told, once, of errors that accepting meets with.</param>
internal sealed partial class PeekingListenerFactory(
    ListeningPorts ports,
    ViewDirectory directory,
    TimeProvider time,
    ILogger<PeekingListenerFactory> log
) : IConnectionListenerFactory
{
    /// <inheritdoc />
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = ports.Take(endpoint);
        var local = LocalSocket.Listen(out var name);
        directory.LocalSocketName = name;
        return new(new PeekingListener(socket, local, directory, time, error => AcceptFailed(log, error)));
    }

    [LoggerMessage(1, LogLevel.Warning, "accepting connections fails ({Error}); it is tried again every 100 ms")]
    private static partial void AcceptFailed(ILogger log, string error);
}

/// <summary>
/// Accepts connections, looks at the first byte of each beside the others, hands HTTP to the server and raw streams to the view whose
/// ticket they carry. Connections that stay silent, or carry no valid ticket, are dropped.
/// </summary>
internal sealed class PeekingListener : IConnectionListener
{
    /// <summary>How long a connection may take to say what it is.</summary>
    public static readonly TimeSpan SilenceTime = TimeSpan.FromSeconds(10);

    /// <summary>Connections that have not said what they are; more are dropped at once.</summary>
    public const int MostSilent = 256;

    /// <summary>From one attempt to accept to the next while the system refuses, as without descriptors.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);

    private readonly Socket[] _sockets;
    private readonly ViewDirectory _directory;
    private readonly TimeProvider _time;
    private readonly Action<string> _failed;
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _silent = new(MostSilent);
    private readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);
    private readonly Channel<ConnectionContext> _http = Channel.CreateUnbounded<ConnectionContext>();
    private readonly Task _accepting;
    private int _hasFailed;

    /// <summary>Begins to accept.</summary>
    /// <param name="socket">Listens for all.</param>
    /// <param name="local">Listens for processes of this host, or null.</param>
    /// <param name="directory">Knows the tickets.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failed">Called with the first error of accepting.</param>
    public PeekingListener(Socket socket, Socket? local, ViewDirectory directory, TimeProvider time, Action<string> failed)
    {
        _sockets = local is null ? [socket] : [socket, local];
        (_directory, _time, _failed) = (directory, time, failed);
        EndPoint = socket.LocalEndPoint!;
        _accepting = Task.WhenAll(_sockets.Select(AcceptLoopAsync));
    }

    /// <inheritdoc />
    public EndPoint EndPoint { get; }

    /// <inheritdoc />
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _http.Reader.WaitToReadAsync(cancellationToken) && _http.Reader.TryRead(out var context) ? context : null;

    /// <inheritdoc />
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _closing.CancelAsync();
        foreach (var listening in _sockets)
            listening.Dispose();
        await _accepting;
        _http.Writer.TryComplete();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _contexts.Dispose();
    }

    private async Task AcceptLoopAsync(Socket listening)
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                Sort(await listening.AcceptAsync(_closing.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                await RetryLaterAsync(exception);
            }
        }
    }

    private async Task RetryLaterAsync(SocketException exception)
    {
        if (_closing.IsCancellationRequested || exception.SocketErrorCode == SocketError.ConnectionReset)
            return; // gone before it was accepted
        if (Interlocked.Exchange(ref _hasFailed, 1) == 0)
            _failed(exception.Message);
        await Task.WhenAny(Task.Delay(RetryInterval, _time, _closing.Token));
    }

    private void Sort(Socket socket)
    {
        if (_silent.Wait(0))
            _ = SortAsync(socket);
        else
            socket.Dispose();
    }

    private async Task SortAsync(Socket socket)
    {
        using var bounded = new CancellationTokenSource(SilenceTime, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, _closing.Token);
        var isTaken = false;
        try
        {
            if (socket.AddressFamily != AddressFamily.Unix)
                socket.NoDelay = true;
            var first = new byte[1];
            if (await socket.ReceiveAsync(first, SocketFlags.Peek, either.Token) == 0)
                return;
            isTaken = first[0] == StreamPreamble.FirstByte ? await TakeStreamAsync(socket, either.Token) : TakeHttp(socket);
        }
        catch (Exception exception)
            when (exception is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone, or has not said in time what it is.
        }
        finally
        {
            _silent.Release();
            if (!isTaken)
                socket.Dispose();
        }
    }

    private bool TakeHttp(Socket socket) => socket.AddressFamily != AddressFamily.Unix && _http.Writer.TryWrite(_contexts.Create(socket));

    private async Task<bool> TakeStreamAsync(Socket socket, CancellationToken cancellationToken)
    {
        if (await StreamPreamble.ReceiveAsync(socket, cancellationToken) is not { } preamble)
            return false;
        return await _directory.TryAcceptAsync(preamble, socket, cancellationToken);
    }
}
