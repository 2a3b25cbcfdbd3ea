using System.Runtime.Intrinsics;
using Distributed.Kernels;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class ElementaryFunctionsTests
{
    [Fact]
    public void Exp_is_within_two_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(110)))
            Ulp.AssertWithin(2, Math.Exp(x), ElementaryFunctions.Exp<LanesScalar, float>(x), x);
    }

    [Fact]
    public void Tanh_is_within_two_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(10)))
            Ulp.AssertWithin(2, Math.Tanh(x), ElementaryFunctions.Tanh<LanesScalar, float>(x), x);
    }

    [Fact]
    public void Sigmoid_is_within_two_and_a_half_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(110)))
            Ulp.AssertWithin(2.5, 1 / (1 + Math.Exp(-(double)x)), ElementaryFunctions.Sigmoid<LanesScalar, float>(x), x);
    }

    /// <summary>The loss takes the double precision logarithm and rounds it.</summary>
    [Fact]
    public void Log_of_a_float_is_within_two_ulp_everywhere()
    {
        foreach (var x in Ulp.Sweep().Concat(Ulp.Dense(1 << 17)))
            Ulp.AssertWithin(2, Math.Log(x), (float)ScalarMath.Log(x), x);
    }

    [Fact]
    public void Special_values_are_right()
    {
        float[] x =
        [
            0,
            -0f,
            float.NegativeInfinity,
            float.PositiveInfinity,
            float.NaN,
            float.Epsilon,
            -float.Epsilon,
            float.MinValue,
            float.MaxValue,
        ];
        const float infinity = float.PositiveInfinity,
            tiny = float.Epsilon;
        BitAssert.Equal(
            [1, 1, 0, infinity, float.NaN, 1, 1, 0, infinity],
            Array.ConvertAll(x, ElementaryFunctions.Exp<LanesScalar, float>)
        );
        BitAssert.Equal([0, -0f, -1, 1, float.NaN, tiny, -tiny, -1, 1], Array.ConvertAll(x, ElementaryFunctions.Tanh<LanesScalar, float>));
        BitAssert.Equal(
            [0.5f, 0.5f, 0, 1, float.NaN, 0.5f, 0.5f, 0, 1],
            Array.ConvertAll(x, ElementaryFunctions.Sigmoid<LanesScalar, float>)
        );
        Assert.Equal(
            [-infinity, -infinity, float.NaN, infinity, float.NaN, -103.27893f, float.NaN, float.NaN, 88.72284f],
            Array.ConvertAll(x, value => (float)ScalarMath.Log(value))
        );
    }

    [Fact]
    public void Functions_have_the_same_bits_at_every_width()
    {
        float[] x = [.. Ulp.Sweep().Where(value => !float.IsNaN(value))];
        AssertSameBits<Lanes512, Vector512<float>>(x);
        AssertSameBits<Lanes256, Vector256<float>>(x);
        AssertSameBits<Lanes128, Vector128<float>>(x);
    }

    private static void AssertSameBits<TLanes, TVector>(float[] x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var lanes = stackalloc float[16];
        fixed (float* first = x)
        {
            for (var i = 0; i <= x.Length - TLanes.Count; i += TLanes.Count)
            {
                var vector = TLanes.Load(first + i);
                var arguments = new ReadOnlySpan<float>(first + i, TLanes.Count);
                AssertLanes(arguments, ElementaryFunctions.Exp<TLanes, TVector>(vector), ElementaryFunctions.Exp<LanesScalar, float>);
                AssertLanes(arguments, ElementaryFunctions.Tanh<TLanes, TVector>(vector), ElementaryFunctions.Tanh<LanesScalar, float>);
                AssertLanes(
                    arguments,
                    ElementaryFunctions.Sigmoid<TLanes, TVector>(vector),
                    ElementaryFunctions.Sigmoid<LanesScalar, float>
                );
            }
        }

        void AssertLanes(ReadOnlySpan<float> arguments, TVector actual, Func<float, float> scalar)
        {
            TLanes.Store(actual, lanes);
            for (var lane = 0; lane < arguments.Length; lane++)
            {
                if (BitConverter.SingleToInt32Bits(scalar(arguments[lane])) != BitConverter.SingleToInt32Bits(lanes[lane]))
                {
                    Assert.Fail(
                        $"{typeof(TLanes).Name}: f({arguments[lane]:R}) is {lanes[lane]:R}, but {scalar(arguments[lane]):R} as a scalar."
                    );
                }
            }
        }
    }
}
