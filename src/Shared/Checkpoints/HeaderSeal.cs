using System.Security.Cryptography;

namespace Distributed.Checkpoints;

/// <summary>
/// A checksum of a safetensors header that stands in the header itself, in its metadata: it is taken with zeros in its place. Without it a
/// flipped bit in a field such as the configuration's hash could not be told from another run's file.
/// </summary>
internal static class HeaderSeal
{
    /// <summary>The checksum's name in the metadata.</summary>
    public const string Key = "headerSha256";

    /// <summary>What stands in its place while it is taken.</summary>
    public static string Blank { get; } = new('0', 2 * SHA256.HashSizeInBytes);

    private static ReadOnlySpan<byte> Mark => "\"headerSha256\":\""u8;

    /// <summary>Replaces the blank by the checksum.</summary>
    /// <param name="header">A header whose metadata has <see cref="Blank"/> under <see cref="Key"/>.</param>
    public static void Close(Span<byte> header)
    {
        var place = PlaceIn(header) ?? throw new ArgumentException("The header has no place for its checksum.", nameof(header));
        System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(header)), header[place]);
    }

    /// <summary>Whether a header is what was closed.</summary>
    /// <param name="header">The header; changed.</param>
    public static bool IsIntact(Span<byte> header)
    {
        if (PlaceIn(header) is not { } place)
            return false;
        var told = System.Text.Encoding.ASCII.GetString(header[place]);
        header[place].Fill((byte)'0');
        return told == Convert.ToHexStringLower(SHA256.HashData(header));
    }

    private static Range? PlaceIn(ReadOnlySpan<byte> header)
    {
        var mark = header.IndexOf(Mark);
        var start = mark + Mark.Length;
        return mark >= 0 && start + Blank.Length <= header.Length ? start..(start + Blank.Length) : null;
    }
}
