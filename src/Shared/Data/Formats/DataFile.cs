namespace Distributed.Data.Formats;

/// <summary>A file whose format is asked for.</summary>
/// <param name="path">Its path.</param>
internal sealed class DataFile(string path)
{
    private const int SniffedBytes = 1024;

    private byte[]? _start;

    /// <summary>Its name, without the folder.</summary>
    public string Name { get; } = Path.GetFileName(path);

    /// <summary>Its first bytes, decompressed; read when they are asked for, since a damaged file can be told by its name alone.</summary>
    /// <exception cref="InputException">They cannot be read.</exception>
    public ReadOnlySpan<byte> Start => _start ??= FileContent.ReadStart(path, SniffedBytes);
}
