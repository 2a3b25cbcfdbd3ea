using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>Distances in units in the last place of the exact result.</summary>
internal static class Ulp
{
    public static void AssertWithin(double limit, double exact, float actual, float argument)
    {
        var rounded = (float)exact;
        if (rounded == actual || (float.IsNaN(rounded) && float.IsNaN(actual)))
            return;
        var unit = Math.Abs((double)MathF.BitIncrement(MathF.Abs(rounded)) - MathF.Abs(rounded));
        if (!(Math.Abs(actual - exact) <= limit * unit))
            Assert.Fail($"f({argument:R}) = {actual:R}, but exactly {exact:R}: {Math.Abs(actual - exact) / unit:F2} ulp.");
    }

    public static void AssertWithin(double limit, double exact, double actual, double argument)
    {
        if (exact.Equals(actual))
            return;
        var unit = Math.BitIncrement(Math.Abs(exact)) - Math.Abs(exact);
        if (!(Math.Abs(actual - exact) <= limit * unit))
            Assert.Fail($"f({argument:R}) = {actual:R}, but {exact:R}: {Math.Abs(actual - exact) / unit:F2} ulp.");
    }

    /// <summary>Floats of every sign and exponent, a prime number of bit patterns apart, with the special values.</summary>
    public static IEnumerable<float> Sweep()
    {
        const uint stride = 4099;
        for (ulong bits = 0; bits <= uint.MaxValue; bits += stride)
            yield return BitConverter.UInt32BitsToSingle((uint)bits);
        foreach (
            var special in new[]
            {
                0f,
                -0f,
                float.PositiveInfinity,
                float.NegativeInfinity,
                float.NaN,
                float.MaxValue,
                float.MinValue,
                float.Epsilon,
            }
        )
        {
            yield return special;
        }
    }

    /// <summary>
    /// Every 97th float from 2^-14 to <paramref name="limit"/> and their negatives: millions of them, where a function is not yet constant.
    /// </summary>
    public static IEnumerable<float> Dense(float limit)
    {
        const int stride = 97;
        const float smallest = 1f / 16384;
        for (var bits = BitConverter.SingleToInt32Bits(smallest); bits <= BitConverter.SingleToInt32Bits(limit); bits += stride)
        {
            yield return BitConverter.Int32BitsToSingle(bits);
            yield return -BitConverter.Int32BitsToSingle(bits);
        }
    }
}
