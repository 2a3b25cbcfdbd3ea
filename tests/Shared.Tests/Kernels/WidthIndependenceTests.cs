using System.Runtime.Intrinsics;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>
/// The products' generic cores, run with every lanes type: the runtime splits vectors that the machine lacks, so all of them run
/// everywhere.
/// </summary>
public sealed unsafe class WidthIndependenceTests
{
    [Theory]
    [InlineData(29, 300, 77)]
    [InlineData(12, 5, 32)]
    [InlineData(7, 17, 10)]
    [InlineData(14, 2100, 515)] // packed ahead
    [InlineData(14, 1024, 131)] // rows of the left operand copied
    public void Products_have_the_same_bits_at_every_width(int rows, int inner, int columns)
    {
        float[] left = Oracle.Values(rows * inner, 1),
            right = Oracle.Values(inner * columns, 2);
        var expected = Oracle.Product(left, rows, inner, right, columns);
        BitAssert.Equal(expected, Multiply<Lanes512, Vector512<float>>(left, rows, inner, right, columns), "512");
        BitAssert.Equal(expected, Multiply<Lanes256, Vector256<float>>(left, rows, inner, right, columns), "256");
        BitAssert.Equal(expected, Multiply<Lanes128, Vector128<float>>(left, rows, inner, right, columns), "128");
        BitAssert.Equal(expected, Multiply<LanesScalar, float>(left, rows, inner, right, columns), "scalar");
    }

    [Theory]
    [InlineData(29, 77, 100, 7)]
    [InlineData(12, 32, 64, 32)]
    [InlineData(5, 48, 70, 32)]
    [InlineData(3, 10, 9, 4)]
    public void Transposed_products_have_the_same_bits_at_every_width(int m, int n, int rows, int microbatch)
    {
        float[] left = Oracle.Values(rows * m, 1),
            right = Oracle.Values(rows * n, 2);
        var expected = Oracle.TransposedProduct(left, m, right, n, rows, microbatch);
        BitAssert.Equal(expected, Transposed<Lanes512, Vector512<float>>(left, m, right, n, rows, microbatch), "512");
        BitAssert.Equal(expected, Transposed<Lanes256, Vector256<float>>(left, m, right, n, rows, microbatch), "256");
        BitAssert.Equal(expected, Transposed<Lanes128, Vector128<float>>(left, m, right, n, rows, microbatch), "128");
        BitAssert.Equal(expected, Transposed<LanesScalar, float>(left, m, right, n, rows, microbatch), "scalar");
    }

    private static float[] Multiply<TLanes, TVector>(float[] left, int rows, int inner, float[] right, int columns)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        using var team = new ComputeTeam(1);
        var destination = new float[rows * columns];
        var scratch = team.Scratch(MultiplyWork.ScratchLength(rows, inner, columns));
        fixed (
            float* a = left,
                b = right,
                c = destination
        )
        {
            var work = new MultiplyWork(a, rows, new RightOperand(b, inner, columns, RightLayout.RowMajor), c, default, scratch);
            work.Execute<TLanes, TVector>(0, 1);
        }

        return destination;
    }

    private static float[] Transposed<TLanes, TVector>(float[] left, int m, float[] right, int n, int rows, int microbatch)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        using var team = new ComputeTeam(1);
        var length = (int)TransposedProductWork.ScratchLength(n, rows);
        var scratch = team.Scratch(length);
        var destination = new float[m * n];
        fixed (
            float* a = left,
                b = right,
                c = destination
        )
        {
            var work = new TransposedProductWork(a, m, m, b, n, rows, microbatch, c, scratch, length);
            work.Execute<TLanes, TVector>(0, 1);
        }

        return destination;
    }
}
