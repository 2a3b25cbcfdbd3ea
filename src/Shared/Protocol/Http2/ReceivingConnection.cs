using System.Buffers.Binary;
using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// The connection beneath an HTTP/2 server: it lets the data of one call be received past the server, straight to where it belongs. The server
/// keeps all else, and all other calls.
/// </summary>
/// <remarks>
/// The runtime's server copies what it receives three times, and hands it over between threads as often. It does not learn of what is received
/// here, so it is here that the other side is permitted to send more.
/// </remarks>
/// <param name="socket">The connection; this takes it over.</param>
public sealed class ReceivingConnection(Socket socket) : InterceptedStream(socket, receivedPreface: PrefaceBytes, sentPreface: 0)
{
    private const int UpdateBytes = Http2Frame.HeaderBytes + sizeof(int);

    private readonly ByteView _values = new();
    private readonly byte[] _updates = new byte[2 * UpdateBytes];
    private IMessageReceiver? _receiver;
    private int _stream;
    private int _consumed;

    /// <inheritdoc />
    /// <remarks>A server learns of the connection's end by reading.</remarks>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            // It is told where the server reads.
        }
    }

    /// <summary>Lets a call's data be received past the server from now on.</summary>
    /// <param name="stream">The call's HTTP/2 stream.</param>
    /// <param name="receiver">Receives the message in each frame.</param>
    internal void Divert(int stream, IMessageReceiver receiver)
    {
        _stream = stream;
        Volatile.Write(ref _receiver, receiver);
    }

    /// <summary>Receives values to where they belong.</summary>
    /// <exception cref="IOException">The connection ended before.</exception>
    internal ValueTask ReceiveAsync(Memory<float> destination, CancellationToken cancellationToken) => ReceiveAllAsync(_values.Of(destination), cancellationToken);

    private protected override async ValueTask<bool> TakeAsync(Http2Frame frame, CancellationToken cancellationToken)
    {
        if (frame.Type != Http2FrameType.Data || frame.Length == 0 || Volatile.Read(ref _receiver) is not { } receiver || frame.Stream != _stream)
            return false;
        if (frame.Flags != 0 || frame.Length > WireLimits.HttpFrameBytes)
            throw new IOException("an HTTP/2 frame of gradients is padded or too long, or ends its call");
        Skip(Http2Frame.HeaderBytes);
        await receiver.ReceiveAsync(this, frame.Length, cancellationToken);
        _consumed += frame.Length;
        if (_consumed >= WireLimits.WindowBytes / 2)
            await PermitAsync(cancellationToken);
        return true;
    }

    private async ValueTask PermitAsync(CancellationToken cancellationToken)
    {
        WriteUpdate(_updates, stream: 0);
        WriteUpdate(_updates.AsSpan(UpdateBytes), _stream);
        _consumed = 0;
        await InsertAsync(_updates, default, cancellationToken);
    }

    private void WriteUpdate(Span<byte> output, int stream)
    {
        new Http2Frame(sizeof(int), Http2FrameType.WindowUpdate, Flags: 0, stream).Write(output);
        BinaryPrimitives.WriteInt32BigEndian(output[Http2Frame.HeaderBytes..], _consumed);
    }
}

/// <summary>Receives messages as they come.</summary>
internal interface IMessageReceiver
{
    /// <summary>Receives one.</summary>
    /// <param name="connection">Where it comes from.</param>
    /// <param name="length">Its length in bytes, all of which must be taken.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">Ends the connection.</exception>
    ValueTask ReceiveAsync(ReceivingConnection connection, int length, CancellationToken cancellationToken);
}
