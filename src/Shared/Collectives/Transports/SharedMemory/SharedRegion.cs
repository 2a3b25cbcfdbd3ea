using Microsoft.Win32.SafeHandles;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// Memory of one member of a view that others of its host map and read in place, see <see cref="AnonymousMemory"/>.
/// </summary>
/// <remarks>A peer maps the values to read, and can write only the lines: it rings signals and answers offers.</remarks>
internal sealed unsafe class SharedRegion : IDisposable
{
    private const string Label = "distributed-gradients";

    private readonly SafeFileHandle? _file;
    private readonly MappedPages _lines;
    private readonly MappedPages _values;

    private SharedRegion(RegionLayout layout, SafeFileHandle? file, MappedPages lines, MappedPages values)
    {
        Layout = layout;
        _file = file;
        _lines = lines;
        _values = values;
    }

    /// <summary>Where everything lies.</summary>
    public RegionLayout Layout { get; }

    /// <summary>Makes a region, all zeros. Memory is taken when it is first written.</summary>
    /// <param name="layout">Where everything lies.</param>
    /// <param name="refusal">Why there is none; empty if there is.</param>
    public static SharedRegion? TryCreate(RegionLayout layout, out string refusal)
    {
        if (AnonymousMemory.TryCreate(Label, layout.Bytes, out refusal) is not { } file)
            return null;
        if (TryMap(layout, file, isOwner: true, out refusal) is not { } region)
        {
            file.Dispose();
            return null;
        }

        *region.Header = new RegionHeader(RegionOffer.NewNonce(), RegionHeader.CurrentFormat);
        return region;
    }

    /// <summary>Maps a peer's region.</summary>
    /// <param name="offer">What the peer says about it.</param>
    /// <param name="layout">Where everything lies in it.</param>
    /// <param name="refusal">Why that is not possible; empty if it is.</param>
    public static SharedRegion? TryOpen(in RegionOffer offer, RegionLayout layout, out string refusal)
    {
        using var file = AnonymousMemory.TryOpen(Label, offer, layout.Bytes, out refusal);
        if (file is null || TryMap(layout, file, isOwner: false, out refusal) is not { } region)
            return null;
        if (*region.Header == new RegionHeader(offer.Nonce, RegionHeader.CurrentFormat))
            return region;
        region.Dispose();
        refusal = "what is found under the peer's process number is not its region";
        return null;
    }

    /// <summary>What to tell peers about a region that this process made.</summary>
    public RegionOffer Offer() => new(Environment.ProcessId, LinuxCalls.Descriptor(_file!), Layout.Bytes, Header->Nonce);

    /// <summary>
    /// Writes a peer's answer to the offer of its region into it: proof that both see the same memory and not two copies.
    /// </summary>
    /// <param name="rank">This member's rank.</param>
    /// <param name="nonce">The random number of this member's own region.</param>
    public void Answer(int rank, UInt128 nonce) => *AnswerOf(rank) = nonce;

    /// <summary>Whether a peer has answered the offer of this region.</summary>
    /// <param name="rank">The peer's rank.</param>
    /// <param name="nonce">The random number of the peer's own region.</param>
    public bool IsAnswered(int rank, UInt128 nonce) => *AnswerOf(rank) == nonce;

    /// <summary>Where the member whose region this is sleeps.</summary>
    public SharedSignal Signal() => new((int*)(_lines.Address + RegionLayout.SignalOffset));

    /// <summary>A counter that the member whose region this is writes.</summary>
    public SharedCounter Counter(in ExchangePart part) => new((long*)(_lines.Address + Layout.CounterOffset(part)));

    /// <summary>[length]: a node of the member.</summary>
    /// <param name="index">The node, counted from the member's first.</param>
    public MappedValues Node(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Layout.Nodes);
        return Values(Layout.NodeOffset(index), Layout.Length);
    }

    /// <summary>[length]: the member's slices, at their places in the flat vector.</summary>
    public MappedValues Slices() => Values(Layout.SlicesOffset, Layout.Length);

    /// <summary>[<see cref="NodeRecord.MaximumNodes"/>, <see cref="NodeRecord.Length"/>]: the records of the member's nodes.</summary>
    /// <param name="parity">See <see cref="ExchangeMemory.Record"/>.</param>
    public MappedValues Record(int parity) => Values(Layout.RecordOffset(parity), NodeRecord.MaximumNodes * NodeRecord.Length);

    /// <summary>Takes the mappings away; nothing that came from here may be used any more.</summary>
    public void Dispose()
    {
        _lines.Dispose();
        _values.Dispose();
        _file?.Dispose();
    }

    private RegionHeader* Header => (RegionHeader*)(_lines.Address + RegionLayout.HeaderOffset);

    private UInt128* AnswerOf(int rank) => (UInt128*)(_lines.Address + RegionLayout.AnswerOffset(rank));

    private MappedValues Values(long offset, int length) => new(_values, (float*)(_values.Address + (offset - Layout.LineBytes)), length);

    private static SharedRegion? TryMap(RegionLayout layout, SafeFileHandle file, bool isOwner, out string refusal)
    {
        var lines = new MappedPages(file, 0, layout.LineBytes, writable: true);
        var values = new MappedPages(file, layout.LineBytes, layout.Bytes - layout.LineBytes, writable: isOwner);
        refusal = lines.IsInvalid || values.IsInvalid ? $"the system does not map {layout.Bytes} bytes: {LinuxCalls.LastError}" : "";
        if (refusal.Length == 0)
            return new SharedRegion(layout, isOwner ? file : null, lines, values);
        lines.Dispose();
        values.Dispose();
        return null;
    }
}
