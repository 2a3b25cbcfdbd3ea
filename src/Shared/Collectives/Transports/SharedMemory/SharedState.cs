using Microsoft.Win32.SafeHandles;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// A copy of a training state that a worker leaves where a process of its host can read it in place, see <see cref="AnonymousMemory"/>:
/// the vectors, one behind the other, after a page that holds the random number alone.
/// </summary>
internal sealed unsafe class SharedState : IDisposable
{
    private const string Label = "distributed-state";
    private const long Header = AnonymousMemory.Page;

    private readonly SafeFileHandle? _file;
    private readonly MappedPages _pages;
    private readonly long _bytes;

    private SharedState(SafeFileHandle? file, MappedPages pages, int length, int vectors)
    {
        _file = file;
        _pages = pages;
        _bytes = BytesOf(length, vectors);
        Vectors = [.. Enumerable.Range(0, vectors).Select(index => VectorAt(index, length))];
    }

    /// <summary>The weights, then the moments.</summary>
    public IReadOnlyList<MappedValues> Vectors { get; }

    /// <summary>Makes the memory for a state, all zeros.</summary>
    /// <param name="length">The length of each vector in elements.</param>
    /// <param name="vectors">How many there are.</param>
    public static SharedState? TryCreate(int length, int vectors)
    {
        if (AnonymousMemory.TryCreate(Label, BytesOf(length, vectors), out _) is not { } file)
            return null;
        if (TryMap(file, isOwner: true, length, vectors) is { } state)
        {
            *(UInt128*)state._pages.Address = RegionOffer.NewNonce();
            return state;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Maps a state of another process, to read it.</summary>
    /// <param name="offer">What the other process says about it.</param>
    /// <param name="length">The length that each vector must have.</param>
    /// <param name="vectors">How many there must be.</param>
    /// <param name="refusal">Why that is not possible; empty if it is.</param>
    public static SharedState? TryOpen(in RegionOffer offer, int length, int vectors, out string refusal)
    {
        using var file = AnonymousMemory.TryOpen(Label, offer, BytesOf(length, vectors), out refusal);
        if (file is null)
            return null;
        if (TryMap(file, isOwner: false, length, vectors) is not { } state)
        {
            refusal = $"the system does not map {offer.Bytes} bytes: {LinuxCalls.LastError}";
            return null;
        }

        if (*(UInt128*)state._pages.Address == offer.Nonce)
            return state;
        state.Dispose();
        refusal = "what is found under the worker's process number is not its state";
        return null;
    }

    /// <summary>What to tell others about a state that this process made.</summary>
    public RegionOffer Offer() => new(Environment.ProcessId, LinuxCalls.Descriptor(_file!), _bytes, Nonce: *(UInt128*)_pages.Address);

    /// <summary>Takes the mapping away; no vector may be used any more.</summary>
    public void Dispose()
    {
        _pages.Dispose();
        _file?.Dispose();
    }

    private MappedValues VectorAt(int index, int length) => new(_pages, (float*)(_pages.Address + Header) + ((long)index * length), length);

    private static long BytesOf(int length, int vectors) => Header + ((long)vectors * length * sizeof(float));

    private static SharedState? TryMap(SafeFileHandle file, bool isOwner, int length, int vectors)
    {
        var pages = new MappedPages(file, 0, BytesOf(length, vectors), writable: isOwner);
        if (!pages.IsInvalid)
            return new SharedState(isOwner ? file : null, pages, length, vectors);
        pages.Dispose();
        return null;
    }
}
