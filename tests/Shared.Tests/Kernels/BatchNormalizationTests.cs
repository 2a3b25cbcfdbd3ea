using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Normalization;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class BatchNormalizationTests : IDisposable
{
    private const float Epsilon = 1e-5f;

    private static readonly Gen<BatchNormalizationShape> Shapes =
        from rows in Gen.Int[1, 9]
        from positions in Gen.Int[1, 12]
        from channels in Gen.OneOf(Gen.Int[1, 5], Gen.Int[14, 50])
        from microbatch in Gen.Int[1, 10]
        select new BatchNormalizationShape(rows, positions, channels, microbatch);

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Outputs_and_gradients_agree_with_double_precision() =>
        Gen.Select(Shapes, Gen.UInt)
            .Sample(
                (shape, seed) =>
                {
                    var problem = Problem.Of(shape, seed);
                    Results actual = Run(problem, _teams[seed % 3]),
                        expected = Reference(problem);
                    AssertClose(expected.Output, actual.Output, Largest(expected.Output), "output");
                    AssertClose(
                        expected.ParameterGradient,
                        actual.ParameterGradient,
                        Largest(expected.ParameterGradient),
                        "parameter gradient"
                    );
                    var terms = Largest(problem.OutputGradient) * Largest(problem.Weight); // which can cancel
                    AssertClose(expected.InputGradient, actual.InputGradient, terms, "input gradient");
                },
                iter: 500,
                threads: 1
            );

    [Fact]
    public void Statistics_are_chains_over_pixels_and_samples_and_the_tree_over_microbatches() =>
        Gen.Select(Shapes, Gen.UInt)
            .Sample(
                (shape, seed) =>
                {
                    var problem = Problem.Of(shape, seed);
                    var actual = Run(problem, _teams[0]);
                    var expected = new float[2 * shape.Channels]; // bias and running mean: the sums that need no other
                    for (var c = 0; c < shape.Channels; c++)
                    {
                        expected[c] = Oracle.Tree([.. Chains(problem.OutputGradient, shape, c).Select(chain => chain.Sum)]);
                        expected[shape.Channels + c] = Oracle.Tree([
                            .. Chains(problem.Input, shape, c).Select(x => x.Rows * (x.Sum / (x.Rows * shape.Positions))),
                        ]);
                    }

                    BitAssert.Equal(expected, actual.ParameterGradient.AsSpan(shape.Channels, 2 * shape.Channels));
                },
                iter: 300,
                threads: 1
            );

    [Fact]
    public void Any_number_of_threads_and_any_vector_width_give_the_same_bits()
    {
        var problem = Problem.Of(new BatchNormalizationShape(25, 30, 53, 7), 3);
        var expected = Run(problem, _teams[0]).All;
        Assert.Equivalent(expected, Run(problem, _teams[1]).All, strict: true);
        Assert.Equivalent(expected, Run(problem, _teams[2]).All, strict: true);
        Assert.Equivalent(expected, RunAt<LanesScalar, float>(problem).All, strict: true);
        Assert.Equivalent(expected, RunAt<Lanes128, Vector128<float>>(problem).All, strict: true);
        Assert.Equivalent(expected, RunAt<Lanes256, Vector256<float>>(problem).All, strict: true);
        Assert.Equivalent(expected, RunAt<Lanes512, Vector512<float>>(problem).All, strict: true);
    }

    [Fact]
    public void Microbatches_are_normalised_apart_from_each_other()
    {
        var shape = new BatchNormalizationShape(12, 5, 3, 4);
        var problem = Problem.Of(shape, 1);
        var first = 4 * shape.Positions * shape.Channels;
        var alone = Run(
            problem with
            {
                Shape = shape with { Rows = 4 },
                Input = problem.Input[..first],
                OutputGradient = problem.OutputGradient[..first],
            },
            _teams[0]
        ).Output;
        BitAssert.Equal(alone, Run(problem, _teams[0]).Output.AsSpan(0, first));
    }

    [Fact]
    public void A_single_value_leaves_only_the_bias()
    {
        var problem = Problem.Of(new BatchNormalizationShape(3, 1, 20, 1), 1);
        var results = Run(problem, _teams[0]);
        BitAssert.Equal([.. problem.Bias, .. problem.Bias, .. problem.Bias], results.Output);
        Assert.All(results.InputGradient, gradient => Assert.Equal(0, gradient));
    }

    [Fact]
    public void Evaluation_uses_the_given_statistics() =>
        Gen.Select(Shapes, Gen.UInt)
            .Sample(
                (shape, seed) =>
                {
                    var problem = Problem.Of(shape, seed);
                    float[] mean = Oracle.Values(shape.Channels, seed + 7),
                        variance = [.. Oracle.Values(shape.Channels, seed + 8).Select(Math.Abs)];
                    var output = new GuardedBuffer(shape.Length);
                    BatchNormalization.Evaluate(
                        problem.Input,
                        shape,
                        [.. problem.Weight, .. problem.Bias, .. mean, .. variance],
                        Epsilon,
                        output.Span,
                        _teams[seed % 3]
                    );
                    for (var i = 0; i < shape.Length; i++)
                    {
                        var c = i % shape.Channels;
                        var scale = problem.Weight[c] / Math.Sqrt((double)variance[c] + Epsilon);
                        var difference = (double)problem.Input[i] - mean[c];
                        Assert.Equal(
                            (difference * scale) + problem.Bias[c],
                            output.Span[i],
                            1e-6 * (Math.Abs(difference * scale) + 1 + Math.Abs(problem.Bias[c]))
                        );
                    }

                    output.AssertGuards();
                },
                iter: 300,
                threads: 1
            );

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_not_finite_stays_in_its_channel_and_is_not_hidden(float bad)
    {
        var problem = Problem.Of(new BatchNormalizationShape(4, 3, 20, 4), 1);
        problem.Input[23] = bad;
        var results = Run(problem, _teams[0]);
        for (var i = 0; i < results.Output.Length; i++)
            Assert.Equal(i % 20 == 3, float.IsNaN(results.Output[i]));
    }

    [Fact]
    public void Without_an_input_gradient_the_others_stay_the_same()
    {
        var problem = Problem.Of(new BatchNormalizationShape(5, 3, 20, 2), 1);
        BitAssert.Equal(
            Run(problem, _teams[0]).ParameterGradient,
            Run(problem with { WantsInputGradient = false }, _teams[0]).ParameterGradient
        );
    }

    [Fact]
    public void Warmed_normalisation_allocates_nothing()
    {
        var problem = Problem.Of(new BatchNormalizationShape(32, 64, 16, 8), 1);
        var shape = problem.Shape;
        float[] statistics = new float[shape.StatisticsLength],
            output = new float[shape.Length],
            partials = new float[shape.PartialsLength];
        float[] inputGradient = new float[shape.Length],
            gradient = new float[4 * shape.Channels];
        foreach (var team in _teams)
        {
            AllocationAssert.NothingOnceWarm(() =>
            {
                BatchNormalization.Forward(problem.Input, shape, problem.Weight, problem.Bias, Epsilon, statistics, output, team);
                BatchNormalization.Backward(
                    problem.Input,
                    shape,
                    problem.Weight,
                    statistics,
                    problem.OutputGradient,
                    inputGradient,
                    partials,
                    gradient,
                    team
                );
            });
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var shape = new BatchNormalizationShape(2, 1, 3, 2);
        Assert.Throws<ArgumentException>(() => Forward(shape, 5, 3, 9));
        Assert.Throws<ArgumentException>(() => Forward(shape, 6, 2, 9));
        Assert.Throws<ArgumentException>(() => Forward(shape, 6, 3, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => Forward(shape with { Microbatch = 0 }, 6, 3, 9));
        Assert.Throws<ArgumentException>(() =>
            BatchNormalization.Evaluate(new float[6], shape, new float[11], Epsilon, new float[6], _teams[0])
        );

        void Forward(BatchNormalizationShape bad, int inputs, int weights, int statistics) =>
            BatchNormalization.Forward(
                new float[inputs],
                bad,
                new float[weights],
                new float[weights],
                Epsilon,
                new float[statistics],
                new float[6],
                _teams[0]
            );
    }

    private static Results Run(Problem problem, ComputeTeam team)
    {
        var shape = problem.Shape;
        GuardedBuffer statistics = new(shape.StatisticsLength),
            output = new(shape.Length),
            partials = new(shape.PartialsLength);
        GuardedBuffer inputGradient = new(problem.WantsInputGradient ? shape.Length : 0),
            parameterGradient = new(4 * shape.Channels);
        BatchNormalization.Forward(problem.Input, shape, problem.Weight, problem.Bias, Epsilon, statistics.Span, output.Span, team);
        BatchNormalization.Backward(
            problem.Input,
            shape,
            problem.Weight,
            statistics.Span,
            problem.OutputGradient,
            inputGradient.Span,
            partials.Span,
            parameterGradient.Span,
            team
        );
        foreach (var buffer in new[] { statistics, output, partials, inputGradient, parameterGradient })
            buffer.AssertGuards();
        return new Results([.. output.Span], [.. inputGradient.Span], [.. parameterGradient.Span]);
    }

    /// <summary>As <see cref="Run"/>, with vectors of one width; the tree over microbatches has its own test of this.</summary>
    private static Results RunAt<TLanes, TVector>(Problem problem)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var shape = problem.Shape;
        using var team = new ComputeTeam(1);
        float[] statistics = new float[shape.StatisticsLength],
            output = new float[shape.Length],
            partials = new float[shape.PartialsLength];
        float[] inputGradient = new float[shape.Length],
            parameterGradient = new float[4 * shape.Channels];
        fixed (
            float* x = problem.Input,
                w = problem.Weight,
                b = problem.Bias,
                s = statistics,
                y = output,
                g = problem.OutputGradient,
                dx = inputGradient,
                p = partials
        )
        {
            var items = shape.Microbatches * ((shape.Channels + CacheLine.Length - 1) / CacheLine.Length);
            var forward = new BatchNormalizationForward(x, shape, w, b, Epsilon, s, y);
            var backward = new BatchNormalizationBackward(x, shape, w, s, g, dx, p);
            new BatchNormalizationChannels<BatchNormalizationForward>(forward, shape).Execute<TLanes, TVector>(0, items);
            new BatchNormalizationChannels<BatchNormalizationBackward>(backward, shape).Execute<TLanes, TVector>(0, items);
        }

        ColumnSums.Compute(partials, 4 * shape.Channels, shape.Microbatches, 1, parameterGradient, team);
        return new Results(output, inputGradient, parameterGradient);
    }

    private static Results Reference(Problem problem)
    {
        var shape = problem.Shape;
        int channels = shape.Channels,
            sample = shape.Positions * channels;
        float[] output = new float[shape.Length],
            inputGradient = new float[shape.Length];
        var parameterGradient = new double[4 * channels];
        for (var first = 0; first < shape.Rows; first += shape.Microbatch)
        {
            var rows = Math.Min(shape.Microbatch, shape.Rows - first);
            for (var c = 0; c < channels; c++)
            {
                int[] elements = [.. Enumerable.Range(first * sample, rows * sample).Where(i => i % channels == c)];
                double mean = elements.Average(i => (double)problem.Input[i]),
                    variance = elements.Average(i => Math.Pow(problem.Input[i] - mean, 2));
                var inverse = 1 / Math.Sqrt(variance + Epsilon);
                double[] normal = [.. elements.Select(i => (problem.Input[i] - mean) * inverse)];
                double[] gradient = [.. elements.Select(i => (double)problem.OutputGradient[i])];
                double sum = gradient.Sum(),
                    product = gradient.Zip(normal, (g, x) => g * x).Sum();
                for (var i = 0; i < elements.Length; i++)
                {
                    output[elements[i]] = (float)((normal[i] * problem.Weight[c]) + problem.Bias[c]);
                    var centred = gradient[i] - (sum / elements.Length) - (normal[i] * product / elements.Length);
                    inputGradient[elements[i]] = (float)(centred * inverse * problem.Weight[c]);
                }

                parameterGradient[c] += product;
                parameterGradient[channels + c] += sum;
                parameterGradient[(2 * channels) + c] += rows * mean;
                parameterGradient[(3 * channels) + c] += rows * variance;
            }
        }

        return new Results(output, inputGradient, Array.ConvertAll(parameterGradient, value => (float)value));
    }

    /// <summary>For each microbatch, the chain over its samples of the chains over their pixels.</summary>
    private static IEnumerable<(int Rows, float Sum)> Chains(float[] values, BatchNormalizationShape shape, int channel)
    {
        for (var first = 0; first < shape.Rows; first += shape.Microbatch)
        {
            var end = Math.Min(first + shape.Microbatch, shape.Rows);
            float total = 0;
            for (var row = first; row < end; row++)
            {
                float sum = 0;
                for (var position = 0; position < shape.Positions; position++)
                    sum += values[(((row * shape.Positions) + position) * shape.Channels) + channel];
                total += sum;
            }

            yield return (end - first, total);
        }
    }

    private static float Largest(float[] values) => values.Max(Math.Abs);

    private static void AssertClose(float[] expected, float[] actual, float scale, string what)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 2e-6 * (1 + scale), $"{what} {i}: {actual[i]}, expected {expected[i]}");
    }

    private sealed record Problem(
        BatchNormalizationShape Shape,
        float[] Input,
        float[] Weight,
        float[] Bias,
        float[] OutputGradient,
        bool WantsInputGradient = true
    )
    {
        public static Problem Of(BatchNormalizationShape shape, uint seed) =>
            new(
                shape,
                Spread(Oracle.Values(shape.Length, seed), shape.Channels),
                Oracle.Values(shape.Channels, seed + 1),
                Oracle.Values(shape.Channels, seed + 2),
                Oracle.Values(shape.Length, seed + 3)
            );

        /// <summary>Keeps the values of neighbouring pixels apart: a variance near 0 would magnify every rounding.</summary>
        private static float[] Spread(float[] values, int channels) =>
            [.. values.Select((value, i) => (value / 64) + (i / channels % 7 * 4))];
    }

    private sealed record Results(float[] Output, float[] InputGradient, float[] ParameterGradient)
    {
        public float[][] All => [Output, InputGradient, ParameterGradient];
    }
}
