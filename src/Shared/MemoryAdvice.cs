using System.Runtime.InteropServices;

namespace Distributed;

/// <summary>Tells Linux how memory is going to be used. Wishes and no more: where one is not granted, nothing changes but the speed.</summary>
internal static unsafe partial class MemoryAdvice
{
    private const nuint LargePage = 2 << 20; // of x86-64, and of 64-bit ARM with small pages of 4 KiB
    private const nuint SmallestPage = 4096;

    // Of <sys/mman.h>.
    private const int Random = 1;
    private const int Sequential = 2;
    private const int WillNeed = 3;
    private const int HugePage = 14;

    /// <summary>
    /// Asks for large pages: tables that are read here and there span more small ones than a processor remembers the addresses of, and a kernel
    /// that is set to "madvise" gives large ones to those alone who ask. Best before the memory is touched.
    /// </summary>
    /// <param name="address">Where it begins.</param>
    /// <param name="bytes">Its length.</param>
    public static void UseLargePages(void* address, nuint bytes) => Advise(address, bytes, LargePage, HugePage);

    /// <summary>Says that a mapped file is read here and there, so that a page fault reads no more than its page.</summary>
    /// <param name="address">Where it begins.</param>
    /// <param name="bytes">Its length.</param>
    public static void ExpectRandomReads(void* address, nuint bytes) => Advise(address, bytes, SmallestPage, Random);

    /// <summary>Says that a mapped file is read in order, so that a page fault reads what follows as well.</summary>
    /// <param name="address">Where it begins.</param>
    /// <param name="bytes">Its length.</param>
    public static void ExpectReadsInOrder(void* address, nuint bytes) => Advise(address, bytes, SmallestPage, Sequential);

    /// <summary>
    /// Has a piece of a mapped file read; returns before it is. Exactly that piece, where a reader in order has the system read far beyond it.
    /// </summary>
    /// <param name="address">Where it begins, on a page.</param>
    /// <param name="bytes">Its length; of more than a few megabytes the system reads the first ones alone.</param>
    public static void ReadSoon(void* address, nuint bytes) => Advise(address, bytes, SmallestPage, WillNeed);

    private static void Advise(void* address, nuint bytes, nuint page, int advice)
    {
        var start = ((nuint)address + page - 1) / page * page;
        var end = ((nuint)address + bytes) / page * page;
        if (OperatingSystem.IsLinux() && start < end)
            _ = Advise((void*)start, end - start, advice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
