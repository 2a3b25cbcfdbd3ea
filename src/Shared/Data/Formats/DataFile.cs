using System.Text.Unicode;

namespace Distributed.Data.Formats;

/// <summary>A file whose format is asked for.</summary>
/// <param name="path">Its path.</param>
internal sealed class DataFile(string path)
{
    private const int SniffedBytes = 1024;

    // What may be left of a character where the sniffed bytes end.
    private const int MostOfCharacter = 3;

    private byte[]? _start;
    private long? _length;

    /// <summary>Its name, without the folder.</summary>
    public string Name { get; } = Path.GetFileName(path);

    /// <summary>Its first bytes, decompressed; read when they are asked for.</summary>
    /// <exception cref="InputException">They cannot be read.</exception>
    public ReadOnlySpan<byte> Start => _start ??= FileContent.ReadStart(path, SniffedBytes);

    /// <summary>Its length, decompressed, which takes reading all of a compressed file.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public long Length => _length ??= FileContent.Length(path);

    /// <summary>Its last bytes, decompressed.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public ReadOnlySpan<byte> End(int length) => FileContent.ReadEnd(path, length);

    /// <summary>Whether it begins as text in UTF-8 does, with a visible character and without zeros.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public bool IsText => Start is [>= (byte)' ', ..] start && !start.Contains((byte)0) && IsUtf8(start);

    private static bool IsUtf8(ReadOnlySpan<byte> start)
    {
        for (var rest = 0; rest <= Math.Min(MostOfCharacter, start.Length - 1); rest++)
        {
            if (Utf8.IsValid(start[..^rest]))
                return true;
        }

        return false;
    }
}
