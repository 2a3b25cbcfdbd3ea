using System.Runtime.Intrinsics;
using Distributed.Kernels;
using Distributed.Kernels.Convolutions;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>
/// The convolution's generic cores, run with every lanes type: the runtime splits vectors that the machine lacks, so all of them run
/// everywhere.
/// </summary>
public sealed unsafe class ConvolutionWidthTests
{
    private const int Rows = 5;
    private const int Microbatch = 2;

    internal static class Examples
    {
        public static TheoryData<ConvolutionShape> Shapes =>
            new()
            {
                new ConvolutionShape(9, 7, 5, 37, 3, 3, 1, 1, 1),
                new ConvolutionShape(8, 8, 16, 32, 3, 3, 2, 1, 1),
                new ConvolutionShape(12, 12, 1, 10, 5, 3, 1, 2, 0),
            };
    }

    [Theory]
    [MemberData(nameof(Examples.Shapes), MemberType = typeof(Examples))]
    internal void Every_pass_has_the_same_bits_at_every_width(ConvolutionShape shape)
    {
        Check<Lanes512, Vector512<float>>(shape, "512");
        Check<Lanes256, Vector256<float>>(shape, "256");
        Check<Lanes128, Vector128<float>>(shape, "128");
        Check<LanesScalar, float>(shape, "scalar");
    }

    private static void Check<TLanes, TVector>(ConvolutionShape shape, string width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        using var team = new ComputeTeam(1);
        float[] x = Oracle.Values(Rows * shape.InputLength, 1),
            g = Oracle.Values(Rows * shape.OutputLength, 4);
        float[] w = Oracle.Values(shape.WeightLength, 2),
            b = Oracle.Values(shape.Filters, 3);
        float[] y = new float[g.Length],
            dx = new float[x.Length],
            dw = new float[w.Length],
            db = new float[b.Length];
        var convolution = new Convolution(shape, Rows, Microbatch, inputGradient: true, threads: 1, TileGrid.FullRows<TLanes, TVector>());
        convolution.BindWeights(w, b, team);
        var scratch = team.Scratch(ConvolutionGradientWork.ScratchLength(shape, Microbatch));
        fixed (
            float* input = x,
                output = y,
                gradient = g,
                inputGradient = dx,
                weightGradient = dw,
                biasGradient = db
        )
        {
            convolution.ForwardWork<ReluActivation>(input, Rows, output).Execute<TLanes, TVector>(0, 1);
            convolution.BackwardWork(gradient, Rows, inputGradient).Execute<TLanes, TVector>(0, 1);
            var work = convolution.GradientWork(input, gradient, Rows, weightGradient, biasGradient, scratch);
            work.Execute<TLanes, TVector>(0, 1);
        }

        GC.KeepAlive(convolution);
        GC.KeepAlive(team);
        var oracle = new ConvolutionOracle(shape);
        var (expectedWeights, expectedBias) = oracle.ParameterGradient(x, g, Rows, Microbatch);
        BitAssert.Equal(oracle.Forward(x, w, b, Rows), y, $"output, {width}");
        BitAssert.Equal(oracle.InputGradient(g, w, Rows), dx, $"input gradient, {width}");
        BitAssert.Equal(expectedWeights, dw, $"weight gradient, {width}");
        BitAssert.Equal(expectedBias, db, $"bias gradient, {width}");
    }
}
