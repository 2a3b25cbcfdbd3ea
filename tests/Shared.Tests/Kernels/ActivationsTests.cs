using Distributed.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ActivationsTests : IDisposable
{
    private delegate void Biased(Span<float> matrix, ReadOnlySpan<float> bias, ComputeTeam team);

    private delegate void Gradient(ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team);

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Forward_passes_agree_with_double_precision_for_any_width()
    {
        Check(Activations.AddBias, x => x);
        Check(Activations.BiasRelu, x => Math.Max(x, 0));
        Check(Activations.BiasTanh, Math.Tanh);
        Check(Activations.BiasSigmoid, x => 1 / (1 + Math.Exp(-x)));
    }

    [Fact]
    public void Gradients_come_from_the_outputs_for_any_length()
    {
        CheckGradient(Activations.ReluGradient, (y, g) => y > 0 ? g : 0);
        CheckGradient(Activations.TanhGradient, (y, g) => g * (1 - (y * y)));
        CheckGradient(Activations.SigmoidGradient, (y, g) => g * y * (1 - y));
    }

    [Fact]
    public void The_derivative_of_relu_at_zero_is_zero()
    {
        float[] gradient = [5, 5, 5];
        Activations.ReluGradient([0, -0f, float.Epsilon], gradient, _teams[0]);
        BitAssert.Equal([0, 0, 5], gradient);
    }

    [Fact]
    public void Relu_does_not_hide_nan()
    {
        float[] matrix = [float.NaN, float.NegativeInfinity, float.PositiveInfinity];
        Activations.BiasRelu(matrix, [0, 0, 0], _teams[0]);
        BitAssert.Equal([float.NaN, 0, float.PositiveInfinity], matrix);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        const int columns = 301, rows = 100; // enough elements to be shared out
        float[] bias = Oracle.Values(columns, 1);
        float[][] results = [.. _teams.Select(team =>
        {
            float[] matrix = Oracle.Values(rows * columns, 2), gradient = Oracle.Values(rows * columns, 3);
            Activations.BiasTanh(matrix, bias, team);
            Activations.TanhGradient(matrix, gradient, team);
            return gradient;
        })];
        BitAssert.Equal(results[0], results[1]);
        BitAssert.Equal(results[0], results[2]);
    }

    [Fact]
    public void Warmed_activations_allocate_nothing()
    {
        float[] matrix = new float[300 * 100], gradient = new float[300 * 100], bias = new float[100];
        foreach (ComputeTeam team in _teams)
        {
            void Step()
            {
                Activations.BiasRelu(matrix, bias, team);
                Activations.ReluGradient(matrix, gradient, team);
            }

            AllocationAssert.NothingOnceWarm(Step);
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>("matrix", () => Activations.AddBias(new float[7], new float[3], _teams[0]));
        Assert.Throws<ArgumentException>("matrix", () => Activations.AddBias([], [], _teams[0]));
        Assert.Throws<ArgumentException>("gradient", () => Activations.ReluGradient(new float[3], new float[4], _teams[0]));
    }

    private void Check(Biased activation, Func<double, double> expected)
    {
        for (int columns = 1; columns <= 256; columns++)
        {
            const int rows = 3;
            float[] bias = Oracle.Values(columns, 1), input = Oracle.Values(rows * columns, 2);
            var matrix = new GuardedBuffer(input);
            activation(matrix.Span, bias, _teams[columns % 3]);
            for (int i = 0; i < input.Length; i++)
                Ulp.AssertWithin(2.5, expected(input[i] + bias[i % columns]), matrix.Span[i], input[i]);
            matrix.AssertGuards();
        }
    }

    private void CheckGradient(Gradient kernel, Func<double, double, double> expected)
    {
        for (int length = 0; length <= 256; length++)
        {
            float[] output = [.. Oracle.Values(length, 1).Select(MathF.Tanh)], given = Oracle.Values(length, 2);
            var gradient = new GuardedBuffer(given);
            kernel(output, gradient.Span, _teams[length % 3]);
            for (int i = 0; i < length; i++)
                Assert.Equal(expected(output[i], given[i]), gradient.Span[i], 1e-6 * Math.Abs(given[i]));
            gradient.AssertGuards();
        }
    }
}
