using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class MatrixProductTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Every_element_is_one_chain_for_any_shape_and_thread_count() =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[1, 70], Gen.Int[1, 90], Gen.UInt).Sample(CheckProduct, iter: 150, threads: 1);

    [Theory]
    [InlineData(13, 2049, 33)] // one more than a block of the inner dimension, a tile's rows and a panel
    [InlineData(257, 1025, 33)] // likewise where the rows are many
    [InlineData(361, 3, 5)]
    [InlineData(25, 2100, 515)] // large enough to be packed ahead, in blocks of which the second is short
    [InlineData(60, 20, 52501)] // likewise, with more rows of tiles than squares to pack between them
    [InlineData(29, 2048, 291)] // rows a multiple of 4 KiB apart: copied, block by block
    [InlineData(257, 3072, 130)] // likewise, with a block of half the depth last
    [InlineData(525, 1024, 128)] // likewise, with more rows than are copied at a time
    [InlineData(7, 2049, 64)] // one tile of rows: the right operand is read in place
    [InlineData(25, 700, 130)]
    [InlineData(1, 1, 1)]
    [InlineData(128, 300, 10)]
    public void Chains_continue_across_the_seams_of_blocks(int rows, int inner, int columns) => CheckProduct(rows, inner, columns, 1u);

    [Fact]
    public void Epilogues_see_each_finished_element_once() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 70], Gen.Int[1, 90], Gen.UInt).Sample(CheckEpilogue, iter: 50, threads: 1);

    [Fact]
    public void An_epilogue_waits_for_the_last_block_of_the_inner_dimension() => CheckEpilogue(14, 2054, 515, 1u);

    [Fact]
    public void Transposed_products_are_the_tree_over_microbatches_for_any_shape_and_thread_count() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 70], Gen.Int[0, 80], Gen.Int[1, 40], Gen.UInt).Sample(CheckTransposed, iter: 150, threads: 1);

    [Theory]
    [InlineData(17, 33, 100, 7)]
    [InlineData(5, 3, 300, 1)] // a deep stack: 300 microbatches
    [InlineData(130, 40, 1100, 32)] // more columns than a block of the left operand at this height
    [InlineData(24, 64, 128, 32)]
    [InlineData(10, 48, 100, 32)] // one row of tiles: the right operand is not packed
    public void Odd_and_many_microbatches_keep_the_tree(int m, int n, int rows, int microbatch) =>
        CheckTransposed(m, n, rows, microbatch, 1u);

    [Fact]
    public void Products_agree_with_double_precision()
    {
        const int rows = 30,
            inner = 200,
            columns = 50;
        float[] left = Oracle.Values(rows * inner, 1),
            right = Oracle.Values(inner * columns, 2),
            actual = new float[rows * columns];
        MatrixProduct.Multiply(left, rows, right, inner, columns, actual, _teams[0]);
        for (var i = 0; i < actual.Length; i++)
        {
            double expected = 0,
                magnitude = 0;
            for (var k = 0; k < inner; k++)
            {
                var term = (double)left[(i / columns * inner) + k] * right[(k * columns) + (i % columns)];
                expected += term;
                magnitude += Math.Abs(term);
            }

            Assert.InRange(actual[i], expected - (magnitude * 1e-5), expected + (magnitude * 1e-5));
        }
    }

    [Fact]
    public void A_sum_of_negative_zeros_starts_from_positive_zero()
    {
        var destination = new float[1];
        MatrixProduct.TransposedProduct([-0f], 1, [1f], 1, 1, 1, destination, _teams[0]);
        BitAssert.Equal([0f], destination);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>("left", () =>
            MatrixProduct.Multiply(new float[5], 2, new float[12], 3, 4, new float[8], _teams[0])
        );
        Assert.Throws<ArgumentException>("right", () =>
            MatrixProduct.Multiply(new float[6], 2, new float[11], 3, 4, new float[8], _teams[0])
        );
        Assert.Throws<ArgumentException>("right", () =>
            MatrixProduct.MultiplyTransposed(new float[6], 2, new float[13], 3, 4, new float[8], _teams[0])
        );
        Assert.Throws<ArgumentException>("destination", () =>
            MatrixProduct.Multiply(new float[6], 2, new float[12], 3, 4, new float[7], _teams[0])
        );
        Assert.Throws<ArgumentOutOfRangeException>("inner", () => MatrixProduct.Multiply([], 2, [], 0, 4, new float[8], _teams[0]));
        Assert.Throws<ArgumentException>(() =>
            MatrixProduct.Multiply(new float[6], 2, new float[12], 3, 4, new float[8], _teams[0], Epilogue.AddBias(new float[5]))
        );
        Assert.Throws<ArgumentException>(() =>
            MatrixProduct.Multiply(new float[6], 2, new float[12], 3, 4, new float[8], _teams[0], Epilogue.ReluGradient(new float[4]))
        );
        Assert.Throws<ArgumentException>("right", () =>
            MatrixProduct.TransposedProduct(new float[4], 2, new float[5], 3, 2, 1, new float[6], _teams[0])
        );
        Assert.Throws<ArgumentOutOfRangeException>("microbatch", () =>
            MatrixProduct.TransposedProduct(new float[2], 1, new float[2], 1, 2, 0, new float[1], _teams[0])
        );
    }

    [Fact]
    public void Rows_whose_packed_columns_do_not_fit_in_an_array_are_refused()
    {
        const int rows = 50_000_000;
        float element = 0; // the lengths are refused before anything is read
        var refusal = Assert.Throws<ArgumentException>("rows", () =>
        {
            var column = MemoryMarshal.CreateReadOnlySpan(ref element, rows);
            MatrixProduct.TransposedProduct(column, 1, column, 1, rows, 32, new float[1], _teams[0]);
        });
        Assert.Contains("50000000 rows", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Warmed_products_allocate_nothing()
    {
        float[] left = new float[64 * 48],
            right = new float[64 * 40],
            destination = new float[48 * 40];
        foreach (var team in _teams)
        {
            void Step()
            {
                MatrixProduct.MultiplyTransposed(
                    left.AsSpan(0, 48 * 48),
                    48,
                    right.AsSpan(0, 48 * 40),
                    48,
                    40,
                    destination,
                    team,
                    Epilogue.BiasRelu(right.AsSpan(0, 40))
                );
                MatrixProduct.TransposedProduct(left, 48, right, 40, 64, 16, destination, team);
            }

            AllocationAssert.NothingOnceWarm(Step);
        }
    }

    private void CheckProduct(int rows, int inner, int columns, uint seed)
    {
        float[] left = Oracle.Values(rows * inner, seed),
            right = Oracle.Values(inner * columns, seed + 1);
        var expected = Oracle.Product(left, rows, inner, right, columns);
        var transposed = Oracle.Transpose(right, inner, columns);
        var packed = new GuardedBuffer((int)MatrixProduct.PackedLength(inner, columns));
        MatrixProduct.PackTransposed(transposed, inner, columns, packed.Span);
        packed.AssertGuards();
        foreach (var team in _teams)
        {
            var (actual, fromTransposed) = (new GuardedBuffer(expected.Length), new GuardedBuffer(expected.Length));
            var fromPacked = new GuardedBuffer(expected.Length);
            MatrixProduct.MultiplyPacked(left, rows, packed.Span, inner, columns, fromPacked.Span, team);
            BitAssert.Equal(expected, fromPacked.Span, $"{rows} x {columns} x {inner} packed, {team.Threads} threads");
            fromPacked.AssertGuards();
            MatrixProduct.Multiply(left, rows, right, inner, columns, actual.Span, team);
            MatrixProduct.MultiplyTransposed(left, rows, transposed, inner, columns, fromTransposed.Span, team);
            BitAssert.Equal(expected, actual.Span, $"{rows} x {columns} x {inner}, {team.Threads} threads");
            BitAssert.Equal(expected, fromTransposed.Span, $"{rows} x {columns} x {inner} transposed, {team.Threads} threads");
            actual.AssertGuards();
            fromTransposed.AssertGuards();
        }
    }

    private void CheckEpilogue(int rows, int inner, int columns, uint seed)
    {
        float[] left = Oracle.Values(rows * inner, seed),
            right = Oracle.Values(inner * columns, seed + 1),
            bias = Oracle.Values(columns, seed + 2);
        float[] output = Oracle.Values(rows * columns, seed + 3),
            product = Oracle.Product(left, rows, inner, right, columns);
        float[] relu = [.. product.Select((value, i) => Math.Max(value + bias[i % columns], 0))];
        float[] gradient = [.. product.Select((value, i) => output[i] > 0 ? value : 0)];
        foreach (var team in _teams)
        {
            var (forward, backward) = (new GuardedBuffer(product.Length), new GuardedBuffer(product.Length));
            MatrixProduct.Multiply(left, rows, right, inner, columns, forward.Span, team, Epilogue.BiasRelu(bias));
            MatrixProduct.Multiply(left, rows, right, inner, columns, backward.Span, team, Epilogue.ReluGradient(output));
            BitAssert.Equal(relu, forward.Span, $"{rows} x {columns} x {inner} with bias and ReLU, {team.Threads} threads");
            BitAssert.Equal(gradient, backward.Span, $"{rows} x {columns} x {inner} with ReLU's gradient, {team.Threads} threads");
            forward.AssertGuards();
            backward.AssertGuards();
        }
    }

    private void CheckTransposed(int m, int n, int rows, int microbatch, uint seed)
    {
        float[] left = Oracle.Values(rows * m, seed),
            right = Oracle.Values(rows * n, seed + 1);
        var expected = Oracle.TransposedProduct(left, m, right, n, rows, microbatch);
        foreach (var team in _teams)
        {
            var actual = new GuardedBuffer(expected.Length);
            MatrixProduct.TransposedProduct(left, m, right, n, rows, microbatch, actual.Span, team);
            BitAssert.Equal(expected, actual.Span, $"{m} x {n} over {rows} rows in microbatches of {microbatch}, {team.Threads} threads");
            actual.AssertGuards();

            var some = (m / 3)..(m - (m / 4));
            var part = new GuardedBuffer((some.End.Value - some.Start.Value) * n);
            MatrixProduct.TransposedProductRows(left, m, some, right, n, rows, microbatch, part.Span, team);
            BitAssert.Equal(
                expected.AsSpan()[(some.Start.Value * n)..(some.End.Value * n)],
                part.Span,
                $"rows {some} of {m} x {n} over {rows} rows, {team.Threads} threads"
            );
            part.AssertGuards();
        }
    }
}
