using System.Buffers.Binary;

namespace Distributed.Protocol.Http2;

/// <summary>
/// What the other side lets this one send on a connection with one stream: the windows of both and the size of a frame (RFC 9113, sections
/// 5.2 and 6.5.2).
/// </summary>
internal sealed class SendWindow
{
    private const int InitialWindow = 65_535;
    private const int InitialFrame = 16_384;
    private const ushort InitialWindowSetting = 0x4;
    private const ushort MaximumFrameSetting = 0x5;
    private const int SettingBytes = 6;

    private readonly Lock _lock = new();
    private long _connection = InitialWindow;
    private long _stream = InitialWindow;
    private int _initialStream = InitialWindow;
    private int _maximumFrame = InitialFrame;
    private bool _hasSettings;
    private TaskCompletionSource? _grown; // made by the one who waits

    /// <summary>Counts bytes that were sent without asking.</summary>
    public void Charge(int bytes) => Change(() => (_connection, _stream) = (_connection - bytes, _stream - bytes));

    /// <summary>Takes a WINDOW_UPDATE.</summary>
    /// <param name="stream">The stream, or 0.</param>
    /// <param name="payload">What follows the header.</param>
    /// <exception cref="IOException">It is malformed.</exception>
    public void Grow(int stream, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != sizeof(int))
            throw new IOException("an HTTP/2 frame is of another length than its type says");
        var bytes = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        Change(() => (_connection, _stream) = stream == 0 ? (_connection + bytes, _stream) : (_connection, _stream + bytes));
    }

    /// <summary>Takes the other side's SETTINGS.</summary>
    /// <param name="payload">What follows the header.</param>
    public void Set(ReadOnlySpan<byte> payload)
    {
        for (; payload.Length >= SettingBytes; payload = payload[SettingBytes..])
        {
            var value = BinaryPrimitives.ReadInt32BigEndian(payload[sizeof(ushort)..]);
            switch (BinaryPrimitives.ReadUInt16BigEndian(payload))
            {
                case InitialWindowSetting:
                    Change(() => (_stream, _initialStream) = (_stream + value - _initialStream, value));
                    break;
                case MaximumFrameSetting:
                    Change(() => _maximumFrame = value);
                    break;
            }
        }

        Change(() => _hasSettings = true);
    }

    /// <summary>Waits until a frame may be sent.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="IOException">The other side takes no frames of that length.</exception>
    public async ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        while (TryTake(bytes) is { } grown)
            await grown.WaitAsync(cancellationToken);
    }

    // Null if the frame may be sent, otherwise what to wait for.
    private Task? TryTake(int bytes)
    {
        lock (_lock)
        {
            if (_hasSettings && bytes > Math.Min(_maximumFrame, _initialStream))
            {
                throw new IOException(
                    $"the other side takes HTTP/2 frames of {Math.Min(_maximumFrame, _initialStream)} bytes, and not of {bytes}"
                );
            }

            if (bytes <= Math.Min(_maximumFrame, Math.Min(_connection, _stream)))
            {
                (_connection, _stream) = (_connection - bytes, _stream - bytes);
                return null;
            }

            _grown ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _grown.Task;
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource? grown;
        lock (_lock)
        {
            change();
            grown = _grown;
            _grown = null;
        }

        grown?.SetResult();
    }
}
