using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vector = System.Runtime.Intrinsics.Vector256<float>;

namespace Distributed.Kernels.Vectors;

/// <summary>Vectors of 256 bits.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector>
{
    public static int Count => Vector.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStreaming(Vector value, float* destination) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Add(Vector left, Vector right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Subtract(Vector left, Vector right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Multiply(Vector left, Vector right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Divide(Vector left, Vector right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SquareRoot(Vector value) => Vector256.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector FusedMultiplyAdd(Vector left, Vector right, Vector addend) => Vector256.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SelectGreater(Vector left, Vector right, Vector whenTrue, Vector whenFalse) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(left, right), whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SelectEqual(Vector left, Vector right, Vector whenTrue, Vector whenFalse) =>
        Vector256.ConditionalSelect(Vector256.Equals(left, right), whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector CopySign(Vector magnitude, Vector sign) => Vector256.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector PowerOfTwo(Vector shifted) => ((shifted.AsInt32() + Vector256.Create(127)) << 23).AsSingle();
}
