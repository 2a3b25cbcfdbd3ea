using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>
/// What a raw stream begins with, on a port that also speaks HTTP/2 (and later TLS): a byte that begins neither, the version, whether
/// both ends share memory, and the ticket. The acceptor answers with one byte, and frames follow in both directions.
/// </summary>
/// <param name="Ticket">What the acceptor has handed out, see <see cref="Ticket"/>.</param>
/// <param name="IsShared">Whether the dialling side says that both share memory.</param>
internal readonly record struct StreamPreamble(UInt128 Ticket, bool IsShared)
{
    /// <summary>HTTP begins with a letter, TLS with 0x16.</summary>
    public const byte FirstByte = 0xD7;

    /// <summary>Length in bytes.</summary>
    public const int Bytes = 3 + 16;

    private const byte Version = 1;
    private const byte Acknowledged = 0xA5;

    /// <summary>Sends the preamble and waits for the acceptor's answer.</summary>
    /// <exception cref="IOException">It did not acknowledge.</exception>
    public async Task SendAsync(Socket socket, CancellationToken cancellationToken)
    {
        var bytes = new byte[Bytes];
        (bytes[0], bytes[1], bytes[2]) = (FirstByte, Version, IsShared ? (byte)1 : (byte)0);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(3), Ticket);
        await socket.SendAsync(bytes, cancellationToken);
        if (await socket.ReceiveAsync(bytes.AsMemory(0, 1), cancellationToken) != 1 || bytes[0] != Acknowledged)
            throw new IOException("the stream was not acknowledged");
    }

    /// <summary>Receives a preamble.</summary>
    /// <returns>Null if what comes is none.</returns>
    public static async Task<StreamPreamble?> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        var bytes = new byte[Bytes];
        for (var count = 0; count < Bytes; )
        {
            var received = await socket.ReceiveAsync(bytes.AsMemory(count), cancellationToken);
            if (received == 0)
                return null;
            count += received;
        }

        return bytes[0] == FirstByte && bytes[1] == Version && bytes[2] <= 1
            ? new StreamPreamble(BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(3)), bytes[2] == 1)
            : null;
    }

    /// <summary>Acknowledges the stream to the dialling side.</summary>
    public static async Task AcknowledgeAsync(Socket socket, CancellationToken cancellationToken) =>
        await socket.SendAsync(new[] { Acknowledged }, cancellationToken);

    /// <summary>A number that cannot be guessed.</summary>
    public static UInt128 NewTicket()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }
}
