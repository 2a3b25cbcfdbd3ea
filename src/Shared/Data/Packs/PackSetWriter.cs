using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Distributed.Data.Packs;

/// <summary>Writes the files of one set of a packed dataset, in constant memory.</summary>
internal sealed class PackSetWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly FileStream _features;
    private readonly FileStream _targets;
    private readonly FileStream _pages;
    private readonly XxHash128 _targetsHash = new();
    private readonly XxHash128 _pagesHash = new();
    private readonly byte[] _page = new byte[PageHashes.PageBytes];
    private int _filled;
    private int _samples;

    /// <summary>Creates the files.</summary>
    /// <param name="folder">The folder, which has none of them.</param>
    /// <param name="name">The set.</param>
    public PackSetWriter(string folder, string name)
    {
        var files = PackFiles.Of(folder, name);
        _features = Create(files.Features);
        _targets = Create(files.Targets);
        _pages = Create(files.Pages);
    }

    /// <summary>Appends the targets of samples.</summary>
    /// <param name="targets">[n, target width].</param>
    /// <param name="samples">How many.</param>
    public void AddTargets(ReadOnlySpan<int> targets, int samples)
    {
        _samples = checked(_samples + samples);
        var words = MemoryMarshal.AsBytes(targets);
        _targets.Write(words);
        _targetsHash.Append(words);
    }

    /// <summary>Appends the features of samples.</summary>
    /// <param name="features">[n x bytes of a sample].</param>
    public void AddFeatures(ReadOnlySpan<byte> features)
    {
        _features.Write(features);
        while (!features.IsEmpty)
        {
            var taken = Math.Min(features.Length, _page.Length - _filled);
            features[..taken].CopyTo(_page.AsSpan(_filled));
            features = features[taken..];
            _filled += taken;
            if (_filled == _page.Length)
                EndPage();
        }
    }

    /// <summary>Flushes everything to disk.</summary>
    /// <returns>What the set is known by.</returns>
    public PackedSet Complete()
    {
        if (_filled > 0)
            EndPage();
        foreach (var file in new[] { _features, _targets, _pages })
            file.Flush(flushToDisk: true);
        return new PackedSet(_samples, Text(_targetsHash), Text(_pagesHash));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _features.Dispose();
        _targets.Dispose();
        _pages.Dispose();
    }

    private static FileStream Create(string path) => new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);

    private static string Text(XxHash128 hash) => Convert.ToHexStringLower(hash.GetCurrentHash());

    private void EndPage()
    {
        Span<byte> hash = stackalloc byte[PageHashes.HashBytes];
        PageHashes.Write(_page.AsSpan(0, _filled), hash);
        _pages.Write(hash);
        _pagesHash.Append(hash);
        _filled = 0;
    }
}
