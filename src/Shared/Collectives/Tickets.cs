using System.Buffers.Binary;
using System.Globalization;
using Distributed.Collectives.Transports.Streams;

namespace Distributed.Collectives;

/// <summary>
/// What lets a member open a raw stream, which carries no token: a random number that it got by an authenticated call, good once, for
/// one member of one view, for a short time.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Tickets(TimeProvider time)
{
    /// <summary>How long a ticket is good; a stream is dialled at once.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, (ExchangeView View, int Rank, long Issued)> _issued = [];

    /// <summary>Issues a ticket, and forgets those that have expired.</summary>
    /// <param name="view">The view.</param>
    /// <param name="rank">The member that it is for.</param>
    public UInt128 Issue(ExchangeView view, int rank)
    {
        var ticket = StreamPreamble.NewTicket();
        lock (_lock)
        {
            foreach (var expired in _issued.Where(issued => HasExpired(issued.Value.Issued)).ToList())
                _issued.Remove(expired.Key);
            _issued.Add(ticket, (view, rank, time.GetTimestamp()));
        }

        return ticket;
    }

    /// <summary>Redeems a ticket, which is invalid from then on.</summary>
    /// <returns>Null if it is unknown, used, or expired.</returns>
    public (ExchangeView View, int Rank)? Redeem(UInt128 ticket)
    {
        lock (_lock)
        {
            if (!_issued.Remove(ticket, out var issued) || HasExpired(issued.Issued))
                return null;
            return (issued.View, issued.Rank);
        }
    }

    /// <summary>The bytes of a ticket.</summary>
    public static byte[] Bytes(UInt128 ticket)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, ticket);
        return bytes;
    }

    /// <summary>The ticket of bytes; 0, which is never issued, if there are too few.</summary>
    public static UInt128 Read(ReadOnlySpan<byte> bytes) => bytes.Length == 16 ? BinaryPrimitives.ReadUInt128LittleEndian(bytes) : 0;

    /// <summary>A ticket as text, for a header.</summary>
    public static string Text(UInt128 ticket) => ticket.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The ticket of a text; 0 if it is none.</summary>
    public static UInt128 Parse(string? text) =>
        UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticket) ? ticket : 0;

    private bool HasExpired(long issued) => time.GetElapsedTime(issued) > Lifetime;
}
