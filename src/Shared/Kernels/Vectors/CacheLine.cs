using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Kernels.Vectors;

/// <summary>
/// Requests of cache lines ahead of their use, where the machine has an instruction for that. They change no value and never fault.
/// </summary>
internal static unsafe class CacheLine
{
    /// <summary>Floats of a line.</summary>
    public const int Length = AlignedBuffer.Alignment / sizeof(float);

    /// <summary>Requests the line of an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(float* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>Requests the lines of some memory that begins at a line's start; of other memory perhaps not the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(float* address, int length)
    {
        for (var i = 0; i < length; i += Length)
            Fetch(address + i);
    }
}
