using System.Security.Cryptography;

namespace Distributed.Data.Named;

/// <summary>A file as its authors published it, known by the content that it has when uncompressed.</summary>
/// <param name="Name">Its name, without <c>.gz</c>.</param>
/// <param name="Sha256">SHA-256 of the uncompressed content, in lower-case hexadecimal.</param>
internal sealed record PublishedFile(string Name, string Sha256)
{
    /// <summary>Its path in a folder, compressed or not, or null if it is not there.</summary>
    public string? FindIn(string folder) =>
        new[] { Name, Name + ".gz" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Refuses content other than the published one.</summary>
    /// <param name="source">Where the content comes from.</param>
    /// <param name="content">The uncompressed content.</param>
    /// <param name="remedy">What to do, for the message.</param>
    /// <exception cref="InputException">The content differs.</exception>
    public void RequireContent(string source, ReadOnlySpan<byte> content, string remedy)
    {
        var actual = Convert.ToHexStringLower(SHA256.HashData(content));
        if (actual != Sha256)
            throw FileErrors.In(source, $"this is not the published {Name}: SHA-256 {actual}, not {Sha256}; {remedy}");
    }
}
