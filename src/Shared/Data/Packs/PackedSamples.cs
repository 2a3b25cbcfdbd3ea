using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Distributed.Data.Packs;

/// <summary>
/// The samples of one set of a packed dataset, read where they lie. Each page of features is checked when it is used first: what a disk or a
/// copy has spoilt is found before it is trained on, and nothing is read that is not used.
/// </summary>
internal sealed class PackedSamples : SampleStorage
{
    private readonly PackFiles _files;
    private readonly MappedFile _features;
    private readonly MappedFile _targets;
    private readonly MappedFile _pages;
    private readonly int[] _checked; // a bit for each page
    private readonly RowReader _rows;
    private readonly Lock _gate = new();
    private Task _stretches = Task.CompletedTask; // the last of those that are being read
    private bool _isRandom; // whether rows were asked for

    private PackedSamples(PackFiles files, MappedFile features, MappedFile targets, MappedFile pages)
    {
        (_files, _features, _targets, _pages) = (files, features, targets, pages);
        _checked = new int[(PageHashes.Count(features.Length) + 31) / 32];
        _rows = new RowReader(files.Features, features.Length);
    }

    /// <summary>Opens a set. Its targets are checked, which are read in any case.</summary>
    /// <param name="folder">The folder of the pack.</param>
    /// <param name="name">Which set.</param>
    /// <param name="set">What is known of it.</param>
    /// <param name="bytesPerSample">Bytes of a sample's features.</param>
    /// <param name="targetWidth">Words of its target.</param>
    /// <exception cref="InputException">A file is missing, of another length, or not what was packed.</exception>
    public static PackedSamples Open(string folder, string name, PackedSet set, int bytesPerSample, int targetWidth)
    {
        var files = PackFiles.Of(folder, name);
        var length = (long)set.Samples * bytesPerSample;
        var targets = MappedFile.Open(files.Targets, (long)set.Samples * targetWidth * sizeof(int));
        var pages = MappedFile.Open(files.Pages, PageHashes.Count(length) * PageHashes.HashBytes);
        RequireHash(files.Targets, targets, set.Targets);
        RequireHash(files.Pages, pages, set.Pages);
        return new PackedSamples(files, MappedFile.Open(files.Features, length), targets, pages);
    }

    /// <inheritdoc />
    public override long Length => _features.Length;

    /// <inheritdoc />
    public override ReadOnlySpan<int> Targets => _targets.Integers;

    /// <inheritdoc />
    public override ReadOnlySpan<byte> Stored(long offset, int length)
    {
        for (var page = offset / PageHashes.PageBytes; page * PageHashes.PageBytes < offset + length; page++)
        {
            if ((Volatile.Read(ref _checked[page / 32]) & (1 << (int)(page % 32))) == 0)
                Check(page);
        }

        return _features.Span(offset, length);
    }

    /// <inheritdoc />
    public override void ReadAhead(ReadOnlyMemory<int> indices, int bytesPerSample)
    {
        if (!_isRandom)
            _features.ExpectRandomReads();
        _isRandom = true;
        _rows.Read(indices, bytesPerSample);
    }

    /// <inheritdoc />
    public override void ReadAhead(long offset, long length)
    {
        lock (_gate)
            _stretches = _stretches.ContinueWith(_ => Read(offset, length), TaskScheduler.Default);
    }

    /// <inheritdoc />
    public override bool IsReadOnDemand => true;

    // All pieces are asked for at once, then waited for in order. Their pages are mapped and checked by then, so that nothing is left for the step to do.
    private void Read(long offset, long length)
    {
        try
        {
            var (start, end) = (offset / PageHashes.PageBytes * PageHashes.PageBytes, offset + length);
            _features.ReadSoon(start, length + offset - start);
            for (var page = start; page < end; page += PageHashes.PageBytes)
                _ = Volatile.Read(in MemoryMarshal.GetReference(Stored(page, length: 1)));
        }
        catch (IOException)
        {
            // Whoever uses the page hears of it.
        }
    }

    private void Check(long page)
    {
        var offset = page * PageHashes.PageBytes;
        var hash = PageHashes.Of(_features.Span(offset, (int)Math.Min(PageHashes.PageBytes, Length - offset)));
        var expected = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(
            _pages.Span(page * PageHashes.HashBytes, PageHashes.HashBytes)
        );
        if (hash != expected)
        {
            throw new IOException(
                FileErrors
                    .AtOffset(_files.Features, offset, "the page is not what was packed; pack the data again, or copy it once more")
                    .Message
            );
        }

        Interlocked.Or(ref _checked[page / 32], 1 << (int)(page % 32));
    }

    private static void RequireHash(string path, MappedFile file, string expected)
    {
        if (HashOf(file) != expected)
            throw FileErrors.In(path, "is not what was packed; pack the data again, or copy it once more");
    }

    private static string HashOf(MappedFile file)
    {
        var hash = new XxHash128();
        for (long offset = 0; offset < file.Length; offset += PageHashes.PageBytes)
            hash.Append(file.Span(offset, (int)Math.Min(PageHashes.PageBytes, file.Length - offset)));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
