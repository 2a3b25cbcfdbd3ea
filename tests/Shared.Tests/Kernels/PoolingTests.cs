using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Pooling;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class PoolingTests : IDisposable
{
    private static readonly float[] Special =
    [
        float.NaN,
        float.NegativeInfinity,
        float.PositiveInfinity,
        -0f,
        0,
        float.Epsilon,
        -float.Epsilon,
        1e-39f,
        float.MaxValue,
        float.MinValue,
    ];

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Max_pooling_and_its_gradient_are_exact_for_any_shape() =>
        Gen.Select(PoolingOracle.Shapes, Gen.Int[0, 3], Gen.UInt, Gen.Bool)
            .Sample(
                (shape, rows, seed, special) => CheckMax(shape, rows, Inputs(shape, rows, seed, special), seed),
                iter: 2000,
                threads: 1
            );

    [Fact]
    public void Average_pooling_and_its_gradient_are_exact_for_any_shape() =>
        Gen.Select(PoolingOracle.Shapes, Gen.Int[0, 3], Gen.UInt, Gen.Bool)
            .Sample(
                (shape, rows, seed, special) => CheckAverage(shape, rows, Inputs(shape, rows, seed, special), seed),
                iter: 2000,
                threads: 1
            );

    [Fact]
    public void Large_images_have_the_same_bits_for_any_number_of_threads()
    {
        foreach (var shape in new PoolingShape[] { new(28, 28, 32, 2, 2, 2, 2), new(29, 27, 20, 3, 3, 2, 2, 1, 1) })
        {
            CheckMax(shape, 5, Inputs(shape, 5, 1, special: false), 2);
            CheckAverage(shape, 5, Inputs(shape, 5, 1, special: false), 2);
        }
    }

    [Fact]
    public void The_first_of_equal_elements_takes_the_gradient()
    {
        var shape = new PoolingShape(2, 2, 1, 2, 2, 2, 2);
        BitAssert.Equal([1, 0, 0, 0], MaxGradient([7, 7, 7, 7], shape, maskRelu: false));
        BitAssert.Equal([0, 0, 1, 0], MaxGradient([6, 5, 7, 7], shape, maskRelu: false));
        BitAssert.Equal([0, 1, 0, 0], MaxGradient([7, float.NaN, 8, 9], shape, maskRelu: false));
    }

    /// <summary>[y > 0] after the pooling is the same as before it.</summary>
    [Fact]
    public void The_mask_of_a_relu_before_the_pooling_is_included()
    {
        Gen.Select(PoolingOracle.Shapes, Gen.UInt, Gen.Bool)
            .Sample(
                (shape, seed, special) =>
                {
                    float[] input = [.. Inputs(shape, 1, seed, special).Select(x => 0 > x ? 0 : x)],
                        expected = MaxGradient(input, shape, maskRelu: false);
                    ElementFunctions.Backward(default(ActivationFunction<ReluActivation>), input, expected, expected, _teams[0]);
                    BitAssert.Equal(expected, MaxGradient(input, shape, maskRelu: true));
                },
                iter: 500,
                threads: 1
            );
    }

    [Fact]
    public void Winners_are_not_needed_without_a_gradient()
    {
        var shape = new PoolingShape(4, 4, 3, 2, 2, 2, 2);
        float[] input = Oracle.Values(shape.InputLength, 1),
            output = new float[shape.OutputLength];
        MaxPooling.Forward(input, shape, 1, output, [], maskRelu: true, _teams[0]);
        BitAssert.Equal(PoolingOracle.Max(input, shape, 1).Output, output);
    }

    [Fact]
    public void Every_width_has_the_same_bits()
    {
        foreach (var shape in new PoolingShape[] { new(6, 6, 53, 2, 2, 2, 2), new(7, 6, 53, 3, 2, 2, 1, 1, 1) })
        {
            var expected = Run<LanesScalar, float>(shape);
            Assert.Equivalent(expected, Run<Lanes512, Vector512<float>>(shape), strict: true);
            Assert.Equivalent(expected, Run<Lanes256, Vector256<float>>(shape), strict: true);
            Assert.Equivalent(expected, Run<Lanes128, Vector128<float>>(shape), strict: true);
        }
    }

    [Fact]
    public void Warmed_pooling_allocates_nothing()
    {
        var shape = new PoolingShape(28, 28, 8, 2, 2, 2, 2);
        float[] input = new float[shape.InputLength * 4],
            output = new float[shape.OutputLength * 4],
            winners = new float[output.Length];
        foreach (var team in _teams)
        {
            AllocationAssert.NothingOnceWarm(() =>
            {
                MaxPooling.Forward(input, shape, 4, output, winners, maskRelu: true, team);
                MaxPooling.Backward(winners, output, shape, 4, input, team);
                AveragePooling.Forward(input, shape, 4, output, team);
                AveragePooling.Backward(output, shape, 4, input, team);
            });
        }
    }

    [Fact]
    public void Sizes_and_lengths_that_do_not_fit_are_refused()
    {
        var shape = new PoolingShape(4, 4, 1, 2, 2, 2, 2);
        Refuse(shape, 15, 4);
        Refuse(shape, 16, 5);
        Refuse(shape with { KernelHeight = 5 }, 16, 4);
        Refuse(shape with { PaddingWidth = 2 }, 16, 4);
        Refuse(shape with { PaddingWidth = -1 }, 16, 4);
        Refuse(shape with { StrideHeight = 0 }, 16, 4);
        Refuse(shape with { Channels = 0 }, 16, 4);
        Assert.Throws<ArgumentException>("winners", () =>
            MaxPooling.Forward(new float[16], shape, 1, new float[4], new float[3], false, _teams[0])
        );

        void Refuse(PoolingShape bad, int inputs, int outputs)
        {
            Assert.ThrowsAny<ArgumentException>(() =>
                MaxPooling.Forward(new float[inputs], bad, 1, new float[outputs], [], false, _teams[0])
            );
            Assert.ThrowsAny<ArgumentException>(() => AveragePooling.Backward(new float[outputs], bad, 1, new float[inputs], _teams[0]));
        }
    }

    private static float[] Inputs(PoolingShape shape, int rows, uint seed, bool special)
    {
        var values = Oracle.Values(rows * shape.InputLength, seed);
        for (var i = 0; special && i < values.Length; i += 1 + (int)(seed % 7))
            values[i] = Special[(i + seed) % Special.Length];
        return values;
    }

    private static float[][] Run<TLanes, TVector>(PoolingShape shape)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        const int rows = 2;
        float[] output = new float[rows * shape.OutputLength],
            winners = new float[output.Length],
            gradient = new float[rows * shape.InputLength];
        float[] mean = new float[output.Length],
            meanGradient = new float[gradient.Length];
        fixed (
            float* x = Oracle.Values(gradient.Length, 1),
                y = output,
                w = winners,
                g = gradient,
                m = mean,
                mg = meanGradient
        )
        {
            new MaxPoolingForward(x, shape, y, w, maskRelu: false).Execute<TLanes, TVector>(0, rows * shape.OutputHeight);
            new MaxPoolingBackward(w, y, shape, g).Execute<TLanes, TVector>(0, rows * shape.Height);
            new AveragePoolingForward(x, shape, m).Execute<TLanes, TVector>(0, rows * shape.OutputHeight);
            new AveragePoolingBackward(m, shape, mg).Execute<TLanes, TVector>(0, rows * shape.Height);
        }

        return [output, winners, gradient, mean, meanGradient];
    }

    private float[] MaxGradient(float[] input, PoolingShape shape, bool maskRelu)
    {
        float[] output = new float[shape.OutputLength],
            winners = new float[output.Length],
            gradient = new float[input.Length];
        MaxPooling.Forward(input, shape, 1, output, winners, maskRelu, _teams[0]);
        Array.Fill(output, 1);
        MaxPooling.Backward(winners, output, shape, 1, gradient, _teams[0]);
        return gradient;
    }

    private void CheckMax(PoolingShape shape, int rows, float[] input, uint seed)
    {
        var outputGradient = Oracle.Values(rows * shape.OutputLength, seed + 1);
        var (expected, winner) = PoolingOracle.Max(input, shape, rows);
        var expectedGradient = PoolingOracle.MaxGradient(winner, outputGradient, shape, rows);
        foreach (var team in _teams)
        {
            GuardedBuffer output = new(expected.Length),
                winners = new(expected.Length),
                gradient = new(input.Length);
            MaxPooling.Forward(input, shape, rows, output.Span, winners.Span, maskRelu: false, team);
            MaxPooling.Backward(winners.Span, outputGradient, shape, rows, gradient.Span, team);
            BitAssert.Equal(expected, output.Span, "output");
            BitAssert.Equal(expectedGradient, gradient.Span, "gradient");
            output.AssertGuards();
            winners.AssertGuards();
            gradient.AssertGuards();
        }
    }

    private void CheckAverage(PoolingShape shape, int rows, float[] input, uint seed)
    {
        var outputGradient = Oracle.Values(rows * shape.OutputLength, seed + 1);
        float[] expected = PoolingOracle.Average(input, shape, rows),
            expectedGradient = PoolingOracle.AverageGradient(outputGradient, shape, rows);
        foreach (var team in _teams)
        {
            GuardedBuffer output = new(expected.Length),
                gradient = new(input.Length);
            AveragePooling.Forward(input, shape, rows, output.Span, team);
            AveragePooling.Backward(outputGradient, shape, rows, gradient.Span, team);
            BitAssert.Equal(expected, output.Span, "output");
            BitAssert.Equal(expectedGradient, gradient.Span, "gradient");
            output.AssertGuards();
            gradient.AssertGuards();
        }
    }
}
