using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Distributed.Protocol;
using Distributed.Protocol.Http2;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Distributed.Worker.Exchange;

/// <summary>Listens for the server, as its own transport would, with connections that let gradients be received past it.</summary>
internal sealed class DirectListenerFactory : IConnectionListenerFactory
{
    /// <inheritdoc />
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        socket.Listen();
        return new(new DirectListener(socket, LocalSocket.Listen(socket.LocalEndPoint)));
    }
}

/// <summary>Accepts connections.</summary>
/// <param name="socket">A socket that listens for all.</param>
/// <param name="local">One that listens for processes of this host, if there is one.</param>
internal sealed class DirectListener(Socket socket, Socket? local) : IConnectionListener
{
    private readonly Socket[] _sockets = local is null ? [socket] : [socket, local];
    private readonly Task<Socket>?[] _accepting = new Task<Socket>?[local is null ? 1 : 2];
    private readonly ReceiveWatch _watch = new();

    /// <inheritdoc />
    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <inheritdoc />
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await AcceptNextAsync().WaitAsync(cancellationToken);
                if (accepted.AddressFamily != AddressFamily.Unix)
                    accepted.NoDelay = true;
                return new DirectConnection(accepted, _watch);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
            {
                // Gone before it was accepted.
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return null;
            }
        }
    }

    /// <inheritdoc />
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        foreach (var listening in _sockets)
            listening.Dispose();
        return default;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _watch.Dispose();
    }

    private async Task<Socket> AcceptNextAsync()
    {
        for (var i = 0; i < _sockets.Length; i++)
            _accepting[i] ??= _sockets[i].AcceptAsync();
        var accepted = await Task.WhenAny(_accepting!);
        _accepting[Array.IndexOf(_accepting, accepted)] = null;
        return await accepted;
    }
}

/// <summary>One connection, as the server sees it.</summary>
internal sealed class DirectConnection : DefaultConnectionContext
{
    private const int BlockBytes = 64 * 1024;

    private readonly Socket _socket;
    private readonly ReceivingConnection _connection;
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Takes a connection over.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="watch">Receives while nobody else does.</param>
    public DirectConnection(Socket socket, ReceiveWatch watch)
        : base(Guid.NewGuid().ToString("N"))
    {
        _socket = socket;
        _connection = new ReceivingConnection(socket, watch);
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Transport = new Duplex(
            _connection.Input,
            PipeWriter.Create(_connection, new StreamPipeWriterOptions(minimumBufferSize: BlockBytes, leaveOpen: true))
        );
        Features.Set(_connection);
    }

    /// <inheritdoc />
    public override void Abort(ConnectionAbortedException abortReason) => Close();

    /// <inheritdoc />
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        Close();
        await base.DisposeAsync();
    }

    private void Close()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has been closed already.
        }

        _connection.Dispose();
        _closed.Cancel();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
