using System.Security.Cryptography;

namespace Distributed;

/// <summary>
/// Writes files so that a reader, or a machine that comes back after a power cut, sees the old content or the new, never a part.
/// </summary>
internal static class AtomicFile
{
    /// <summary>What an unfinished file's name ends with.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Writes a file beside its final place, flushes it to disk, and renames it over what was there.</summary>
    /// <param name="path">The file; its folder exists. One writer at a time.</param>
    /// <param name="write">Writes the content. If it throws, the old file stays as it was.</param>
    /// <param name="ownerOnly">Whether only this user may read it, where the system has such permissions.</param>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false)
    {
        // Where others may write to the folder, they must not be able to lay something under the name first.
        var temporary = (ownerOnly ? $"{path}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}" : path) + TemporarySuffix;
        var options = new FileStreamOptions
        {
            Mode = ownerOnly ? FileMode.CreateNew : FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (ownerOnly && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, options))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
        DirectoryFlush.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Writes a text as UTF-8 without a byte order mark, as <see cref="Write"/> does.</summary>
    /// <param name="path">The file; its folder exists. One writer at a time.</param>
    /// <param name="text">The content.</param>
    /// <param name="ownerOnly">Whether only this user may read it.</param>
    public static void WriteText(string path, string text, bool ownerOnly = false) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)), ownerOnly);

    // What cannot be written may not be deleted either; the first of the two says why.
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Unfinished files do not count, and the next writer deletes them.
        }
    }
}
