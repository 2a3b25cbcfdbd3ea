using System.Runtime.CompilerServices;

namespace Distributed.Kernels.Vectors;

/// <summary>The terms of a sum over the elements of a vector.</summary>
internal interface ISummand
{
    /// <summary>The sum after the terms from one index on were added to it.</summary>
    TVector AddTo<TLanes, TVector>(TVector sum, nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>
/// Sums along a vector in an order that no width changes: element j goes to lane j mod 16, each lane is a chain from +0, and the lanes are
/// folded by halves.
/// </summary>
internal static unsafe class LaneSum
{
    private const int Lanes = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<TSummand, TLanes, TVector>(in TSummand summand, int length)
        where TSummand : struct, ISummand
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var lanes = stackalloc float[Lanes];
        var whole = length / Lanes * Lanes;
        for (var lane = 0; lane < Lanes; lane += TLanes.Count)
        {
            TVector sum = default;
            for (nint j = lane; j < whole; j += Lanes)
                sum = summand.AddTo<TLanes, TVector>(sum, j);
            TLanes.Store(sum, lanes + lane);
        }

        for (var j = whole; j < length; j++)
            lanes[j - whole] = summand.AddTo<LanesScalar, float>(lanes[j - whole], j);
        return Fold(lanes);
    }

    /// <summary>Adds 16 lanes up by halves: lane i takes lane i + 8, then i + 4, and so on. The lanes are used as scratch.</summary>
    public static float Fold(float* lanes)
    {
        for (var half = Lanes / 2; half > 0; half /= 2)
        {
            for (var lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        }

        return lanes[0];
    }
}
