using Distributed.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ReductionKernelsTests
{
    [Fact]
    public void Addition_is_right_for_every_length_and_in_place()
    {
        for (var length = 0; length <= 256; length++)
        {
            float[] left = Oracle.Values(length, 1),
                right = Oracle.Values(length, 2),
                expected = [.. left.Zip(right, (a, b) => a + b)];
            var sum = new GuardedBuffer(length);
            ReductionKernels.Add(left, right, sum.Span);
            BitAssert.Equal(expected, sum.Span);
            sum.AssertGuards();
            ReductionKernels.Add(left, right, left);
            BitAssert.Equal(expected, left);
        }

        Assert.Throws<ArgumentException>("destination", () => ReductionKernels.Add(new float[2], new float[3], new float[3]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData((7 * 4096) + 33)]
    public void Squares_are_summed_in_lanes_and_blocks(int length)
    {
        var values = Oracle.Values(length, 3);
        var actual = ReductionKernels.SumOfSquares(values);
        Assert.Equal(BlockedSum(values), actual);
        var plain = values.Sum(value => (double)value * value);
        Assert.Equal(plain, actual, plain * 1e-12);
    }

    [Fact]
    public void Squares_do_not_overflow_the_range_of_floats() =>
        Assert.Equal(2 * (double)float.MaxValue * float.MaxValue, ReductionKernels.SumOfSquares([float.MaxValue, -float.MaxValue]));

    private static double BlockedSum(float[] values)
    {
        double[] leaves = [.. values.Chunk(4096).Select(BlockSum)];
        while (leaves.Length > 1)
            leaves = [.. leaves.Chunk(2).Select(pair => pair.Length == 2 ? pair[0] + pair[1] : pair[0])];
        return leaves.Length == 0 ? 0 : leaves[0];
    }

    private static double BlockSum(float[] block)
    {
        var lanes = new double[16];
        for (var i = 0; i < block.Length; i++)
            lanes[i % 16] += (double)block[i] * block[i];
        for (var half = 8; half > 0; half /= 2)
            lanes = [.. lanes.Take(half).Zip(lanes.Skip(half), (a, b) => a + b)];
        return lanes[0];
    }
}
