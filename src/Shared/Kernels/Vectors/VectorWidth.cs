using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Kernels.Vectors;

/// <summary>A computation that is written once for all vector widths.</summary>
internal interface IVectorized
{
    void Execute<TLanes, TVector>()
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>
/// Chooses the widest vectors of this machine whose fused multiply-add is one instruction. The tests are constants to the compiler.
/// </summary>
internal static class VectorWidth
{
    public static void Execute<TComputation>(TComputation computation)
        where TComputation : struct, IVectorized
    {
        if (Vector512.IsHardwareAccelerated)
            computation.Execute<Lanes512, Vector512<float>>();
        else if (Vector256.IsHardwareAccelerated && Fma.IsSupported)
            computation.Execute<Lanes256, Vector256<float>>();
        else if (Vector128.IsHardwareAccelerated && (AdvSimd.IsSupported || Fma.IsSupported))
            computation.Execute<Lanes128, Vector128<float>>();
        else
            computation.Execute<LanesScalar, float>();
    }
}
