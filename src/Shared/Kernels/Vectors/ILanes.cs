namespace Distributed.Kernels.Vectors;

/// <summary>
/// Arithmetic on a vector of floats, so that a kernel is written once and compiled for each vector width. Every operation is exact in the
/// sense of IEEE 754 (one rounding) and works lane by lane, so a kernel's bits are the same for all implementations.
/// </summary>
/// <typeparam name="TVector">The vector: a register's worth of lanes.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : unmanaged
{
    /// <summary>Floats in one vector: a divisor of 16.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* destination);

    /// <summary>
    /// Stores past the caches, where the machine can: the line is not read before it is written. The destination must be aligned to the
    /// vector.
    /// </summary>
    static abstract void StoreStreaming(TVector value, float* destination);

    static abstract TVector Broadcast(float value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    static abstract TVector SquareRoot(TVector value);

    /// <summary>left * right + addend, rounded once.</summary>
    static abstract TVector FusedMultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>left &gt; right ? whenTrue : whenFalse; a NaN on either side selects <paramref name="whenFalse"/>.</summary>
    static abstract TVector SelectGreater(TVector left, TVector right, TVector whenTrue, TVector whenFalse);

    /// <summary>left == right ? whenTrue : whenFalse; a NaN on either side selects <paramref name="whenFalse"/>.</summary>
    static abstract TVector SelectEqual(TVector left, TVector right, TVector whenTrue, TVector whenFalse);

    /// <summary>The magnitude of one value with the sign of another.</summary>
    static abstract TVector CopySign(TVector magnitude, TVector sign);

    /// <summary>
    /// 2^n for an integer n in -126..127, given as the float n + 1.5 * 2^23, whose low mantissa bits are n in two's complement.
    /// </summary>
    static abstract TVector PowerOfTwo(TVector shifted);
}
