using Xunit;

namespace Distributed.Integration.Support;

/// <summary>A file system in memory that is soon full. Skips the test where this user may not mount one.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const int Piece = 4096;

    private readonly string _ballast;

    private SmallDisk(string path) => (Path, _ballast) = (path, System.IO.Path.Combine(path, "ballast"));

    public string Path { get; }

    /// <summary>Mounts it on a new folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="mebibytes">Its size.</param>
    public static async Task<SmallDisk> MountAsync(string path, int mebibytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a tmpfs");
        Directory.CreateDirectory(path);
        await using var mount = RunningProcess.Shell(path, $"mount -t tmpfs -o size={mebibytes}m tmpfs '{path}'");
        var exit = await mount.ExitAsync();
        Assert.SkipUnless(exit.Code == 0, $"needs the right to mount a file system: {exit.ErrorText}");
        return new SmallDisk(path);
    }

    /// <summary>Fills it to the last byte.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(_ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                ballast.Write(new byte[Piece]);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    /// <summary>Makes room again.</summary>
    public void Empty() => File.Delete(_ballast);

    public async ValueTask DisposeAsync()
    {
        await using var unmount = RunningProcess.Shell("/", $"umount -l '{Path}'");
        await unmount.ExitAsync();
    }
}
