using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class ColumnSumsTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Sums_are_chains_in_microbatches_and_the_tree_across() =>
        Gen.Select(Gen.Int[1, 256], Gen.Int[0, 90], Gen.Int[1, 40], Gen.UInt).Sample(Check, iter: 200, threads: 1);

    [Fact]
    public void Large_matrices_have_the_same_bits_for_any_number_of_threads() => Check(200, 333, 7, 1);

    [Fact]
    public void Every_width_has_the_same_bits()
    {
        const int n = 77,
            rows = 50,
            microbatch = 7;
        float[] matrix = Oracle.Values(n * rows, 1),
            ones = new float[rows];
        Array.Fill(ones, 1);
        var expected = Oracle.TransposedProduct(ones, 1, matrix, n, rows, microbatch);
        BitAssert.Equal(expected, Run<Lanes512, Vector512<float>>(matrix, n, rows, microbatch));
        BitAssert.Equal(expected, Run<Lanes256, Vector256<float>>(matrix, n, rows, microbatch));
        BitAssert.Equal(expected, Run<Lanes128, Vector128<float>>(matrix, n, rows, microbatch));
        BitAssert.Equal(expected, Run<LanesScalar, float>(matrix, n, rows, microbatch));
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>("matrix", () => ColumnSums.Compute(new float[5], 3, 2, 1, new float[3], _teams[0]));
        Assert.Throws<ArgumentException>("matrix", () => ColumnSums.Compute(new float[6], 3, 2, 1, new float[2], _teams[0]));
        Assert.Throws<ArgumentOutOfRangeException>("microbatch", () => ColumnSums.Compute(new float[6], 3, 2, 0, new float[3], _teams[0]));
    }

    private static float[] Run<TLanes, TVector>(float[] matrix, int n, int rows, int microbatch)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var sums = new float[n];
        fixed (
            float* first = matrix,
                destination = sums
        )
        {
            new ColumnSums.Columns(first, n, rows, microbatch, destination).Execute<TLanes, TVector>(0, n);
        }

        return sums;
    }

    private void Check(int n, int rows, int microbatch, uint seed)
    {
        float[] matrix = Oracle.Values(n * rows, seed),
            ones = new float[rows];
        Array.Fill(ones, 1);
        var expected = Oracle.TransposedProduct(ones, 1, matrix, n, rows, microbatch);
        foreach (var team in _teams)
        {
            var actual = new GuardedBuffer(n);
            ColumnSums.Compute(matrix, n, rows, microbatch, actual.Span, team);
            BitAssert.Equal(expected, actual.Span);
            actual.AssertGuards();
        }
    }
}
