using Distributed.Kernels;
using Distributed.Kernels.Threads;
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
    public void Leaky_relu_and_its_gradient_are_exact_for_any_length()
    {
        const float slope = 0.2f;
        for (var length = 0; length <= 256; length++)
        {
            var team = _teams[length % 3];
            float[] input = Oracle.Values(length, 1),
                given = Oracle.Values(length, 2);
            var output = new GuardedBuffer(length);
            var gradient = new GuardedBuffer(given);
            Activations.LeakyRelu(input, slope, output.Span, team);
            Activations.LeakyReluGradient(output.Span, slope, gradient.Span, team);
            BitAssert.Equal([.. input.Select(x => x > 0 ? x : slope * x)], output.Span);
            BitAssert.Equal([.. input.Zip(given, (x, g) => x > 0 ? g : slope * g)], gradient.Span);
            output.AssertGuards();
            gradient.AssertGuards();
        }
    }

    [Fact]
    public void Gelu_is_the_input_times_the_normal_distribution()
    {
        float[] input = [.. Ulp.Sweep().Concat(Ulp.Dense(15)).Where(x => x > -12.8f)]; // left of it, results are subnormal
        float[] output = [.. input];
        Activations.Gelu(output, output, _teams[1]);
        for (var i = 0; i < input.Length; i++)
            Ulp.AssertWithin(8, input[i] * NormalOracle.Cumulative(input[i]), output[i], input[i]);
    }

    [Fact]
    public void The_gradient_of_gelu_is_its_derivative()
    {
        float[] input = [.. Ulp.Sweep().Concat(Ulp.Dense(15)).Where(float.IsFinite)];
        var gradient = new float[input.Length];
        Array.Fill(gradient, 1);
        Activations.GeluGradient(input, gradient, _teams[1]);
        for (var i = 0; i < input.Length; i++)
            Assert.Equal(NormalOracle.Cumulative(input[i]) + (input[i] * NormalOracle.Density(input[i])), gradient[i], 4e-7);
    }

    [Fact]
    public void Gelu_and_its_gradient_keep_to_their_buffers()
    {
        for (var length = 0; length <= 256; length++)
        {
            float[] input = Oracle.Values(length, 1),
                given = Oracle.Values(length, 2);
            var output = new GuardedBuffer(length);
            var gradient = new GuardedBuffer(given);
            Activations.Gelu(input, output.Span, _teams[length % 3]);
            Activations.GeluGradient(input, gradient.Span, _teams[length % 3]);
            for (var i = 0; i < length; i++)
            {
                double cumulative = NormalOracle.Cumulative(input[i]),
                    slope = cumulative + (input[i] * NormalOracle.Density(input[i]));
                Assert.Equal(input[i] * cumulative, output.Span[i], 1e-6 * Math.Abs(input[i]));
                Assert.Equal(given[i] * slope, gradient.Span[i], 1e-6 * Math.Abs(given[i]));
            }

            output.AssertGuards();
            gradient.AssertGuards();
        }
    }

    [Fact]
    public void Activations_treat_special_values_as_pytorch_does()
    {
        float[] x = [float.NaN, float.NegativeInfinity, float.PositiveInfinity, -0f, 0];
        float[] leaky = new float[5],
            gelu = new float[5],
            slope = [1, 1, 1, 1, 1];
        Activations.LeakyRelu(x, 0.5f, leaky, _teams[0]);
        Activations.Gelu(x, gelu, _teams[0]);
        Activations.LeakyReluGradient(leaky, 0.5f, slope, _teams[0]);
        Assert.Equal([float.NaN, float.NegativeInfinity, float.PositiveInfinity, -0f, 0], leaky);
        Assert.Equal([float.NaN, float.NaN, float.PositiveInfinity, -0f, 0], gelu);
        Assert.Equal([0.5f, 0.5f, 1, 0.5f, 0.5f], slope);
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
        const int columns = 301,
            rows = 100; // enough elements to be shared out
        var bias = Oracle.Values(columns, 1);
        float[][] results =
        [
            .. _teams.Select(team =>
            {
                float[] matrix = Oracle.Values(rows * columns, 2),
                    gradient = Oracle.Values(rows * columns, 3);
                Activations.BiasTanh(matrix, bias, team);
                Activations.TanhGradient(matrix, gradient, team);
                return gradient;
            }),
        ];
        BitAssert.Equal(results[0], results[1]);
        BitAssert.Equal(results[0], results[2]);
    }

    [Fact]
    public void Warmed_activations_allocate_nothing()
    {
        float[] matrix = new float[300 * 100],
            gradient = new float[300 * 100],
            bias = new float[100];
        foreach (var team in _teams)
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
        Assert.Throws<ArgumentException>("output", () => Activations.Gelu(new float[3], new float[4], _teams[0]));
        Assert.Throws<ArgumentException>("gradient", () => Activations.GeluGradient(new float[3], new float[4], _teams[0]));
        Assert.Throws<ArgumentException>("output", () => Activations.LeakyRelu(new float[3], 0.1f, new float[4], _teams[0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1f)]
    [InlineData(float.NaN)]
    public void A_slope_whose_output_does_not_tell_the_side_is_refused(float value)
    {
        Assert.Throws<ArgumentOutOfRangeException>("slope", () => Activations.LeakyRelu(new float[3], value, new float[3], _teams[0]));
        Assert.Throws<ArgumentOutOfRangeException>("slope", () =>
            Activations.LeakyReluGradient(new float[3], value, new float[3], _teams[0])
        );
    }

    private void Check(Biased activation, Func<double, double> expected)
    {
        for (var columns = 1; columns <= 256; columns++)
        {
            const int rows = 3;
            float[] bias = Oracle.Values(columns, 1),
                input = Oracle.Values(rows * columns, 2);
            var matrix = new GuardedBuffer(input);
            activation(matrix.Span, bias, _teams[columns % 3]);
            for (var i = 0; i < input.Length; i++)
                Ulp.AssertWithin(2.5, expected(input[i] + bias[i % columns]), matrix.Span[i], input[i]);
            matrix.AssertGuards();
        }
    }

    private void CheckGradient(Gradient kernel, Func<double, double, double> expected)
    {
        for (var length = 0; length <= 256; length++)
        {
            float[] output = [.. Oracle.Values(length, 1).Select(MathF.Tanh)],
                given = Oracle.Values(length, 2);
            var gradient = new GuardedBuffer(given);
            kernel(output, gradient.Span, _teams[length % 3]);
            for (var i = 0; i < length; i++)
                Assert.Equal(expected(output[i], given[i]), gradient.Span[i], 1e-6 * Math.Abs(given[i]));
            gradient.AssertGuards();
        }
    }
}
