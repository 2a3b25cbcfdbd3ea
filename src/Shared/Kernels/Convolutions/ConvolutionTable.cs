using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Distributed.Kernels.Convolutions;

/// <summary>A table whose elements never move, so that kernels can hold its address.</summary>
/// <param name="elements">The content; copied.</param>
internal sealed unsafe class ConvolutionTable<T>(List<T> elements)
    where T : unmanaged
{
    private readonly T[] _elements = Pinned(elements);

    public int Length => _elements.Length;

    /// <summary>The first element's address, valid for as long as this object is reachable.</summary>
    public T* Pointer => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_elements));

    private static T[] Pinned(List<T> elements)
    {
        var pinned = GC.AllocateUninitializedArray<T>(elements.Count, pinned: true);
        elements.CopyTo(pinned);
        return pinned;
    }
}
