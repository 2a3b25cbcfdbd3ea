using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ElementFunctionsTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Functions_agree_with_double_precision_for_any_length()
    {
        CheckForward(default(ActivationFunction<IdentityActivation>), x => x);
        CheckForward(default(ActivationFunction<ReluActivation>), x => Math.Max(x, 0));
        CheckForward(default(ActivationFunction<TanhActivation>), Math.Tanh);
        CheckForward(default(ActivationFunction<SigmoidActivation>), x => 1 / (1 + Math.Exp(-x)));
    }

    [Fact]
    public void Gradients_come_from_the_outputs_for_any_length()
    {
        CheckBackward(default(ActivationFunction<ReluActivation>), (y, g) => y > 0 ? g : 0);
        CheckBackward(default(ActivationFunction<TanhActivation>), (y, g) => g * (1 - (y * y)));
        CheckBackward(default(ActivationFunction<SigmoidActivation>), (y, g) => g * y * (1 - y));
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
            ElementFunctions.Forward(new LeakyReluFunction(slope), input, output.Span, team);
            ElementFunctions.Backward(new LeakyReluFunction(slope), output.Span, gradient.Span, gradient.Span, team);
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
        ElementFunctions.Forward(default(GeluFunction), output, output, _teams[1]);
        for (var i = 0; i < input.Length; i++)
            Ulp.AssertWithin(8, input[i] * NormalOracle.Cumulative(input[i]), output[i], input[i]);
    }

    [Fact]
    public void The_gradient_of_gelu_is_its_derivative()
    {
        float[] input = [.. Ulp.Sweep().Concat(Ulp.Dense(15)).Where(float.IsFinite)];
        var gradient = new float[input.Length];
        Array.Fill(gradient, 1);
        ElementFunctions.Backward(default(GeluFunction), input, gradient, gradient, _teams[1]);
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
            var gradient = new GuardedBuffer(length);
            ElementFunctions.Forward(default(GeluFunction), input, output.Span, _teams[length % 3]);
            ElementFunctions.Backward(default(GeluFunction), input, given, gradient.Span, _teams[length % 3]);
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
        ElementFunctions.Forward(new LeakyReluFunction(0.5f), x, leaky, _teams[0]);
        ElementFunctions.Forward(default(GeluFunction), x, gelu, _teams[0]);
        ElementFunctions.Backward(new LeakyReluFunction(0.5f), leaky, slope, slope, _teams[0]);
        Assert.Equal([float.NaN, float.NegativeInfinity, float.PositiveInfinity, -0f, 0], leaky);
        Assert.Equal([float.NaN, float.NaN, float.PositiveInfinity, -0f, 0], gelu);
        Assert.Equal([0.5f, 0.5f, 1, 0.5f, 0.5f], slope);
    }

    [Fact]
    public void The_derivative_of_relu_at_zero_is_zero()
    {
        float[] gradient = [5, 5, 5];
        ElementFunctions.Backward(default(ActivationFunction<ReluActivation>), [0, -0f, float.Epsilon], gradient, gradient, _teams[0]);
        BitAssert.Equal([0, 0, 5], gradient);
    }

    [Fact]
    public void Relu_does_not_hide_nan()
    {
        float[] values = [float.NaN, float.NegativeInfinity, float.PositiveInfinity];
        ElementFunctions.Forward(default(ActivationFunction<ReluActivation>), values, values, _teams[0]);
        BitAssert.Equal([float.NaN, 0, float.PositiveInfinity], values);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        const int length = 30_100; // enough elements to be shared out
        float[][] results =
        [
            .. _teams.Select(team =>
            {
                float[] values = Oracle.Values(length, 2),
                    gradient = Oracle.Values(length, 3);
                ElementFunctions.Forward(default(ActivationFunction<TanhActivation>), values, values, team);
                ElementFunctions.Backward(default(ActivationFunction<TanhActivation>), values, gradient, gradient, team);
                return gradient;
            }),
        ];
        BitAssert.Equal(results[0], results[1]);
        BitAssert.Equal(results[0], results[2]);
    }

    [Fact]
    public void Warmed_functions_allocate_nothing()
    {
        float[] values = new float[300 * 100],
            gradient = new float[300 * 100];
        foreach (var team in _teams)
        {
            void Step()
            {
                ElementFunctions.Forward(default(ActivationFunction<ReluActivation>), values, values, team);
                ElementFunctions.Backward(default(ActivationFunction<ReluActivation>), values, gradient, gradient, team);
            }

            AllocationAssert.NothingOnceWarm(Step);
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        float[] three = new float[3],
            four = new float[4];
        GeluFunction gelu = default;
        Assert.Throws<ArgumentException>("output", () => ElementFunctions.Forward(gelu, three, four, _teams[0]));
        Assert.Throws<ArgumentException>("outputGradient", () => ElementFunctions.Backward(gelu, three, four, three, _teams[0]));
        Assert.Throws<ArgumentException>("inputGradient", () => ElementFunctions.Backward(gelu, three, three, four, _teams[0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1f)]
    [InlineData(float.NaN)]
    public void A_slope_whose_output_does_not_tell_the_side_is_refused(float value) =>
        Assert.Throws<ArgumentOutOfRangeException>("slope", () => new LeakyReluFunction(value));

    private void CheckForward<TFunction>(TFunction function, Func<double, double> expected)
        where TFunction : unmanaged, IElementFunction
    {
        for (var length = 0; length <= 256; length++)
        {
            var input = Oracle.Values(length, 2);
            var output = new GuardedBuffer(length);
            ElementFunctions.Forward(function, input, output.Span, _teams[length % 3]);
            for (var i = 0; i < length; i++)
                Ulp.AssertWithin(2.5, expected(input[i]), output.Span[i], input[i]);
            output.AssertGuards();
        }
    }

    private void CheckBackward<TFunction>(TFunction function, Func<double, double, double> expected)
        where TFunction : unmanaged, IElementFunction
    {
        for (var length = 0; length <= 256; length++)
        {
            float[] output = [.. Oracle.Values(length, 1).Select(MathF.Tanh)],
                given = Oracle.Values(length, 2);
            var gradient = new GuardedBuffer(length);
            ElementFunctions.Backward(function, output, given, gradient.Span, _teams[length % 3]);
            for (var i = 0; i < length; i++)
                Assert.Equal(expected(output[i], given[i]), gradient.Span[i], 1e-6 * Math.Abs(given[i]));
            gradient.AssertGuards();
        }
    }
}
