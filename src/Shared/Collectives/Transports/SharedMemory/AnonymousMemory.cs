using Microsoft.Win32.SafeHandles;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// Memory that processes of one host share without a name in any file system: it is gone when the last process that maps it is, however
/// those end. Others find it through the file of the process that made it (<c>/proc/PID/fd/N</c>), which the system lets processes of the
/// same user do, and which needs no trust in process numbers: a random number in the memory, told over another channel, shows whether it
/// is the right one.
/// </summary>
internal static class AnonymousMemory
{
    /// <summary>The largest page of any machine that .NET runs on, in bytes: parts that are mapped on their own begin at a multiple.</summary>
    public const long Page = 64 << 10;

    /// <summary>Makes memory, all zeros. It is taken from the system where it is first written.</summary>
    /// <param name="label">What it is for, for those who list a process's files.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="refusal">Why there is none; empty if there is.</param>
    public static SafeFileHandle? TryCreate(string label, long bytes, out string refusal)
    {
        refusal = "it needs Linux on a 64-bit processor";
        if (!LinuxCalls.AreKnown)
            return null;
        var file = LinuxCalls.CreateAnonymousFile(label, bytes);
        refusal = file.IsInvalid ? $"the system gives no anonymous memory: {LinuxCalls.LastError}" : "";
        if (refusal.Length == 0)
            return file;
        file.Dispose();
        return null;
    }

    /// <summary>Opens memory that another process has made.</summary>
    /// <param name="label">What it must be for.</param>
    /// <param name="offer">What the other one says about it.</param>
    /// <param name="bytes">The length that it must have.</param>
    /// <param name="refusal">Why that is not possible; empty if it is.</param>
    public static SafeFileHandle? TryOpen(string label, in RegionOffer offer, long bytes, out string refusal)
    {
        refusal = "it needs Linux on a 64-bit processor";
        if (!LinuxCalls.AreKnown)
            return null;
        refusal = $"the peer's region has {offer.Bytes} bytes instead of {bytes}";
        if (offer.Bytes != bytes)
            return null;
        // Only a file of the kind that is offered is opened: opening others, such as devices, can have consequences.
        var path = $"/proc/{offer.ProcessId}/fd/{offer.Descriptor}";
        var file = IsAnonymous(path, label) ? LinuxCalls.Open(path) : new SafeFileHandle();
        refusal = file switch
        {
            { IsInvalid: true } => "the peer's process is not to be seen from here: another host, container or user",
            _ when !LinuxCalls.HasFixedLength(file) || RandomAccess.GetLength(file) != bytes =>
                "what is found under the peer's process number has not the length of its region",
            _ => "",
        };
        if (refusal.Length == 0)
            return file;
        file.Dispose();
        return null;
    }

    private static bool IsAnonymous(string path, string label)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.FullName.StartsWith($"/memfd:{label}", StringComparison.Ordinal)
                ?? false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
