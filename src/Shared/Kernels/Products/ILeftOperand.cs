using System.Runtime.CompilerServices;

namespace Distributed.Kernels.Products;

/// <summary>Where a register tile finds the left operand's elements.</summary>
internal unsafe interface ILeftOperand
{
    /// <summary>Floats from one k to the next.</summary>
    static abstract nint Step(nint stride);

    /// <summary>The element <paramref name="count"/> rows below the one at <paramref name="element"/>.</summary>
    static abstract float* Row(float* element, int count, nint stride);
}

/// <summary>
/// The matrix as it lies in memory, one row after the other: nothing is copied. Twelve streams are read front to back; four of them have a
/// pointer, and the two rows after each are one and two strides away, which an address can say without a register of its own.
/// </summary>
internal readonly unsafe struct RowMajorLeft : ILeftOperand
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Step(nint stride) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Row(float* element, int count, nint stride) => element + (count * stride);
}

/// <summary>
/// The rows of a tile side by side for each k: a packed panel, or columns of a row-major matrix, whose transpose is then the left operand.
/// </summary>
internal readonly unsafe struct PanelLeft : ILeftOperand
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Step(nint stride) => stride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* Row(float* element, int count, nint stride) => element + count;
}
