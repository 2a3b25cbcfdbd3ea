using System.IO.MemoryMappedFiles;

namespace Distributed.Data.Packs;

/// <summary>
/// Loads a dataset into the files of a pack: files of data are read where they lie, columns are kept in files beside the pack's, and samples are
/// written as they are encoded. What is on the heap does not grow with the number of rows.
/// </summary>
/// <param name="folder">The folder of the pack.</param>
/// <param name="blockBytes">Bytes of samples that are encoded at a time; null for the usual number.</param>
internal sealed class PackWorkspace(string folder, int? blockBytes = null) : Workspace, IDisposable
{
    // Enough that all processors encode, and each as much as is worth a start.
    private const int UsualBlockBytes = 16 << 20;

    private readonly ScratchFiles _scratch = new(folder);
    private readonly Dictionary<string, ByteContent> _contents = [];
    private readonly Dictionary<DataPart, PackedSet> _sets = [];

    /// <summary>The parts that are stored.</summary>
    public IReadOnlyDictionary<DataPart, PackedSet> Sets => _sets;

    /// <inheritdoc />
    public override ByteContent Read(string path)
    {
        if (!_contents.TryGetValue(path, out var content))
            _contents[path] = content = FileContent.Refusing(path, () => ReadNew(path));
        return content;
    }

    /// <inheritdoc />
    public override Stream OpenSeekable(string path) => new ContentStream(Read(path));

    /// <inheritdoc />
    public override Memory<T> Allocate<T>(int length) => _scratch.Allocate<T>(length);

    /// <inheritdoc />
    public override void ReadInOrder<T>(ReadOnlyMemory<T> room) => ScratchFiles.FileOf(room)?.ExpectReadsInOrder();

    /// <inheritdoc />
    public override void ReadInPieces<T>(ReadOnlyMemory<T> room) => ScratchFiles.FileOf(room)?.ExpectRandomReads();

    /// <inheritdoc />
    public override void ReadSoon<T>(ReadOnlyMemory<T> room) => ScratchFiles.ReadSoon(room);

    /// <inheritdoc />
    public override void Free<T>(ReadOnlyMemory<T> room) => _scratch.Free(room);

    /// <inheritdoc />
    public override SampleStorage Store(DataPart part, EncodedSamples samples)
    {
        var name = PackFiles.NameOf(part);
        using (var writer = new PackSetWriter(folder, name))
        {
            Write(samples, writer);
            _sets.Add(part, writer.Complete());
        }

        return PackedSamples.Open(folder, name, _sets[part], samples.BytesPerSample, samples.TargetWidth);
    }

    /// <inheritdoc />
    public override SampleSet Keep(DataPart part, SampleSet samples) =>
        samples.StoredIn(Store(part, new ChosenSamples(folder, samples, rows: null)));

    /// <inheritdoc />
    public void Dispose() => _scratch.Dispose();

    private void Write(EncodedSamples samples, PackSetWriter writer)
    {
        var most = Math.Clamp(
            (blockBytes ?? UsualBlockBytes) / Math.Max(samples.BytesPerSample, sizeof(int) * samples.TargetWidth),
            1,
            Math.Max(1, samples.Count)
        );
        var features = new byte[most * samples.BytesPerSample];
        // All features before all targets, so that whichever block they stand in, it is the same refusal that is told first.
        for (var first = 0; first < samples.Count; first += most)
        {
            var block = features.AsMemory(0, Math.Min(most, samples.Count - first) * samples.BytesPerSample);
            samples.EncodeFeatures(first, block);
            writer.AddFeatures(block.Span);
        }

        var targets = new int[most * samples.TargetWidth];
        for (var first = 0; first < samples.Count; first += most)
        {
            var count = Math.Min(most, samples.Count - first);
            var block = targets.AsSpan(0, count * samples.TargetWidth);
            samples.EncodeTargets(first, block);
            writer.AddTargets(block, count);
        }
    }

    private ByteContent ReadNew(string path)
    {
        using var stored = FileContent.Open(path, out var isCompressed);
        if (isCompressed)
            return _scratch.Keep(take => FileContent.Decompress(path, stored, take));
        if (stored.Length == 0)
            throw FileContent.Empty(path);
        // What came out of a pipe is in memory.
        return stored is FileStream file ? MappedFile.Of(file, MemoryMappedFileAccess.Read) : new BytesInMemory(FileContent.Read(path));
    }
}
