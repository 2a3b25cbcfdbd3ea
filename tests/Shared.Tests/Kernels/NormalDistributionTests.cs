using System.Runtime.Intrinsics;
using Distributed.Kernels;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class NormalDistributionTests
{
    [Fact]
    public void The_distribution_function_is_within_eight_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(15)))
            Ulp.AssertWithin(8, NormalOracle.Cumulative(x), Cumulative(x), x);
    }

    [Fact]
    public void The_density_is_within_four_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(13)).Where(x => MathF.Abs(x) < 15)) // beyond, its argument is clamped
            Ulp.AssertWithin(4, NormalOracle.Density(x), Density(x), x);
    }

    [Fact]
    public void Special_values_are_right()
    {
        float[] x = [0, -0f, float.NegativeInfinity, float.PositiveInfinity, float.NaN, float.Epsilon, float.MinValue, float.MaxValue];
        Assert.Equal([0.5f, 0.5f, 0, 1, float.NaN, 0.5f, 0, 1], Array.ConvertAll(x, Cumulative));
    }

    [Fact]
    public void Every_width_has_the_same_bits()
    {
        float[] x = [.. Ulp.Sweep().Concat(Ulp.Dense(15)).Where((_, index) => index % 5 == 0)];
        AssertSameBits<Lanes512, Vector512<float>>(x);
        AssertSameBits<Lanes256, Vector256<float>>(x);
        AssertSameBits<Lanes128, Vector128<float>>(x);
    }

    private static float Cumulative(float x) => NormalDistribution.Cumulative<LanesScalar, float>(x, out _);

    private static float Density(float x)
    {
        NormalDistribution.Cumulative<LanesScalar, float>(x, out var density);
        return density;
    }

    private static void AssertSameBits<TLanes, TVector>(float[] x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float[] expected = new float[2 * TLanes.Count],
            actual = new float[2 * TLanes.Count];
        fixed (
            float* first = x,
                lanes = actual
        )
        {
            for (var i = 0; i <= x.Length - TLanes.Count; i += TLanes.Count)
            {
                var cumulative = NormalDistribution.Cumulative<TLanes, TVector>(TLanes.Load(first + i), out var density);
                TLanes.Store(cumulative, lanes);
                TLanes.Store(density, lanes + TLanes.Count);
                for (var lane = 0; lane < TLanes.Count; lane++)
                    expected[lane] = NormalDistribution.Cumulative<LanesScalar, float>(x[i + lane], out expected[TLanes.Count + lane]);
                BitAssert.Equal(expected, actual, $"{typeof(TLanes).Name} from {x[i]:R}");
            }
        }
    }
}
