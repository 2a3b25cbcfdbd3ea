using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Normalization;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class LayerNormalizationTests : IDisposable
{
    private const float Epsilon = 1e-5f;

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Outputs_and_gradients_agree_with_double_precision() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 100], Gen.Int[1, 10], Gen.UInt).Sample(CheckAgainstDouble, iter: 500, threads: 1);

    [Theory]
    [InlineData(7, 2, 4, 1954u)]
    [InlineData(1, 3, 9, 2176295176u)]
    [InlineData(9, 5, 5, 2667562523u)]
    public void Outputs_whose_large_terms_cancel_are_as_exact_as_their_terms(int rows, int n, int microbatch, uint seed) =>
        CheckAgainstDouble(rows, n, microbatch, seed);

    [Fact]
    public void The_gradient_of_the_bias_is_a_chain_in_microbatches_and_the_tree_across()
    {
        var problem = Problem.Of(50, 37, 7, 3);
        var ones = new float[50];
        Array.Fill(ones, 1);
        BitAssert.Equal(Oracle.TransposedProduct(ones, 1, problem.OutputGradient, 37, 50, 7), Run(problem, _teams[0])[2].AsSpan(37));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(67)]
    [InlineData(700)]
    public void Any_number_of_threads_and_any_vector_width_give_the_same_bits(int n)
    {
        var problem = Problem.Of(40, n, 7, 3);
        var expected = Run(problem, _teams[0]);
        Assert.Equivalent(expected, Run(problem, _teams[1]), strict: true);
        Assert.Equivalent(expected, Run(problem, _teams[2]), strict: true);
        Assert.Equivalent(expected, RunAt<LanesScalar, float>(problem), strict: true);
        Assert.Equivalent(expected, RunAt<Lanes128, Vector128<float>>(problem), strict: true);
        Assert.Equivalent(expected, RunAt<Lanes256, Vector256<float>>(problem), strict: true);
        Assert.Equivalent(expected, RunAt<Lanes512, Vector512<float>>(problem), strict: true);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_stays_in_its_sample_and_is_not_hidden(float bad)
    {
        var problem = Problem.Of(3, 20, 3, 1);
        problem.Input[25] = bad;
        var output = Run(problem, _teams[0])[0];
        for (var i = 0; i < output.Length; i++)
            Assert.Equal(i is >= 20 and < 40, float.IsNaN(output[i]));
    }

    [Fact]
    public void Equal_values_leave_only_the_bias()
    {
        var problem = Problem.Of(2, 20, 2, 1);
        Array.Fill(problem.Input, 3);
        BitAssert.Equal([.. problem.Bias, .. problem.Bias], Run(problem, _teams[0])[0]);
    }

    [Fact]
    public void Without_an_input_gradient_the_others_stay_the_same()
    {
        var problem = Problem.Of(9, 33, 2, 1);
        BitAssert.Equal(Run(problem, _teams[0])[2], Run(problem with { WantsInputGradient = false }, _teams[0])[2]);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Forward(5, 3, 3, 4));
        Assert.Throws<ArgumentException>(() => Forward(6, 3, 3, 3));
        Assert.Throws<ArgumentException>("bias", () => Forward(6, 3, 2, 4));
        Assert.Throws<ArgumentOutOfRangeException>("weight", () => Forward(6, 0, 0, 4));

        void Forward(int inputs, int weights, int biases, int statistics) =>
            LayerNormalization.Forward(
                new float[inputs],
                new float[weights],
                new float[biases],
                Epsilon,
                new float[statistics],
                new float[inputs],
                _teams[0]
            );
    }

    /// <summary>Terms can cancel, so the errors are measured against the terms of a sum and not against the sum.</summary>
    private void CheckAgainstDouble(int rows, int n, int microbatch, uint seed)
    {
        var problem = Problem.Of(rows, n, microbatch, seed);
        float[][] actual = Run(problem, _teams[seed % 3]),
            expected = Reference(problem);
        float weight = Largest(problem.Weight),
            gradient = Largest(problem.OutputGradient);
        AssertClose(expected[0], actual[0], weight + Largest(problem.Bias));
        AssertClose(expected[1], actual[1], gradient * weight);
        AssertClose(expected[2], actual[2], rows * gradient);
    }

    /// <summary>Output, input gradient, parameter gradient.</summary>
    private static float[][] Run(Problem problem, ComputeTeam team)
    {
        GuardedBuffer statistics = new(2 * problem.Rows),
            output = new(problem.Input.Length),
            outputGradient = new(problem.OutputGradient);
        GuardedBuffer inputGradient = new(problem.WantsInputGradient ? problem.Input.Length : 0),
            parameterGradient = new(2 * problem.Weight.Length);
        LayerNormalization.Forward(problem.Input, problem.Weight, problem.Bias, Epsilon, statistics.Span, output.Span, team);
        LayerNormalization.Backward(
            problem.Input,
            problem.Weight,
            statistics.Span,
            problem.Microbatch,
            outputGradient.Span,
            inputGradient.Span,
            parameterGradient.Span,
            team
        );
        foreach (var buffer in new[] { statistics, output, outputGradient, inputGradient, parameterGradient })
            buffer.AssertGuards();
        return
        [
            [.. output.Span],
            [.. inputGradient.Span],
            [.. parameterGradient.Span],
        ];
    }

    /// <summary>As <see cref="Run"/>, with vectors of one width; the sums over samples have their own test of this.</summary>
    private static float[][] RunAt<TLanes, TVector>(Problem problem)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        using var team = new ComputeTeam(1);
        var (n, rows) = (problem.Weight.Length, problem.Rows);
        float[] statistics = new float[2 * rows],
            output = new float[rows * n],
            outputGradient = [.. problem.OutputGradient];
        float[] inputGradient = new float[rows * n],
            parameterGradient = new float[2 * n];
        ColumnSums.Compute(outputGradient, n, rows, problem.Microbatch, parameterGradient.AsSpan(n), team);
        fixed (
            float* x = problem.Input,
                w = problem.Weight,
                b = problem.Bias,
                s = statistics,
                y = output,
                g = outputGradient,
                dx = inputGradient
        )
        {
            var forward = new LayerNormalizationForward(x, n, w, b, Epsilon, s, y);
            var backward = new LayerNormalizationBackward(x, n, w, s, g, dx);
            forward.Execute<TLanes, TVector>(0, rows);
            backward.Execute<TLanes, TVector>(0, rows);
        }

        ColumnSums.Compute(outputGradient, n, rows, problem.Microbatch, parameterGradient.AsSpan(0, n), team);
        return [output, inputGradient, parameterGradient];
    }

    private static float[][] Reference(Problem problem)
    {
        var n = problem.Weight.Length;
        float[] output = new float[problem.Input.Length],
            inputGradient = new float[output.Length];
        var parameterGradient = new double[2 * n];
        for (var row = 0; row < problem.Rows; row++)
        {
            double[] x = [.. problem.Input.Skip(row * n).Take(n).Select(value => (double)value)];
            double mean = x.Average(),
                inverse = 1 / Math.Sqrt(x.Average(value => Math.Pow(value - mean, 2)) + Epsilon);
            double[] normal = [.. x.Select(value => (value - mean) * inverse)];
            double[] weighted = [.. problem.Weight.Select((weight, j) => (double)weight * problem.OutputGradient[(row * n) + j])];
            double shift = weighted.Average(),
                slope = weighted.Zip(normal, (h, value) => h * value).Average();
            for (var j = 0; j < n; j++)
            {
                double gradient = problem.OutputGradient[(row * n) + j];
                output[(row * n) + j] = (float)((normal[j] * problem.Weight[j]) + problem.Bias[j]);
                inputGradient[(row * n) + j] = (float)((weighted[j] - shift - (normal[j] * slope)) * inverse);
                parameterGradient[j] += gradient * normal[j];
                parameterGradient[n + j] += gradient;
            }
        }

        return [output, inputGradient, Array.ConvertAll(parameterGradient, value => (float)value)];
    }

    private static float Largest(float[] values) => values.Max(Math.Abs);

    private static void AssertClose(float[] expected, float[] actual, float scale)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 2e-6f * (1 + scale));
    }

    private sealed record Problem(
        int Rows,
        int Microbatch,
        float[] Input,
        float[] Weight,
        float[] Bias,
        float[] OutputGradient,
        bool WantsInputGradient = true
    )
    {
        public static Problem Of(int rows, int n, int microbatch, uint seed) =>
            new(
                rows,
                microbatch,
                // A variance near 0 would magnify every rounding.
                [.. Oracle.Values(rows * n, seed).Select((value, i) => (value / 64) + (i % n % 7 * 4))],
                Oracle.Values(n, seed + 1),
                Oracle.Values(n, seed + 2),
                Oracle.Values(rows * n, seed + 3)
            );
    }
}
