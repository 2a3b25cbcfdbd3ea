using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Distributed.Kernels;

/// <summary>
/// A zeroed run of floats that starts on a cache line and never moves: an aligned window of an array on the pinned heap.
/// </summary>
internal sealed unsafe class AlignedBuffer
{
    /// <summary>Alignment of the first element, in bytes: one cache line, and one 512-bit vector.</summary>
    public const int Alignment = 64;

    /// <summary>The most floats that one buffer can hold: an array's, but for what aligning it takes.</summary>
    public static readonly int MaxLength = Array.MaxLength - Slack;

    private const int Slack = (Alignment / sizeof(float)) - 1;

    private readonly float[] _array;
    private readonly int _offset;

    /// <summary>Allocates <paramref name="length"/> zeros.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or too large for an array.</exception>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength);
        Length = length;
        _array = GC.AllocateArray<float>(length + Slack, pinned: true);
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        _offset = (int)((Alignment - (address % Alignment)) % Alignment) / sizeof(float);
        MemoryAdvice.UseLargePages(Pointer, (nuint)length * sizeof(float));
    }

    /// <summary>The number of floats.</summary>
    public int Length { get; }

    /// <summary>All elements.</summary>
    public Span<float> Span => _array.AsSpan(_offset, Length);

    /// <summary>All elements, in a form that fields and asynchronous methods can hold.</summary>
    public Memory<float> Memory => _array.AsMemory(_offset, Length);

    /// <summary>The first element's address, valid for as long as this object is reachable.</summary>
    internal float* Pointer => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array)) + _offset;
}
