using System.Runtime.InteropServices;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>Equality of bits: -0 is not +0, and a NaN equals itself.</summary>
internal static class BitAssert
{
    public static void Equal(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        var common = MemoryMarshal.Cast<float, int>(expected).CommonPrefixLength(MemoryMarshal.Cast<float, int>(actual));
        if (common < expected.Length)
            Assert.Fail($"{what}: element {common} of {expected.Length} is {actual[common]:R}, expected {expected[common]:R}.");
    }
}
