using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vector = System.Runtime.Intrinsics.Vector512<float>;

namespace Distributed.Kernels.Vectors;

/// <summary>Vectors of 512 bits.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector>
{
    public static int Count => Vector.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStreaming(Vector value, float* destination) => value.StoreAlignedNonTemporal(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Add(Vector left, Vector right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Subtract(Vector left, Vector right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Multiply(Vector left, Vector right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector Divide(Vector left, Vector right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SquareRoot(Vector value) => Vector512.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector FusedMultiplyAdd(Vector left, Vector right, Vector addend) => Vector512.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SelectGreater(Vector left, Vector right, Vector whenTrue, Vector whenFalse) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(left, right), whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector SelectEqual(Vector left, Vector right, Vector whenTrue, Vector whenFalse) =>
        Vector512.ConditionalSelect(Vector512.Equals(left, right), whenTrue, whenFalse);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector CopySign(Vector magnitude, Vector sign) => Vector512.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector PowerOfTwo(Vector shifted) => ((shifted.AsInt32() + Vector512.Create(127)) << 23).AsSingle();
}
