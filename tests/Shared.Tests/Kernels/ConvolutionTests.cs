using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Convolutions;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ConvolutionTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    private static readonly Gen<ConvolutionShape> Shapes = Gen.Select(
            Gen.Int[1, 9],
            Gen.Int[1, 9],
            Gen.Int[1, 20],
            Gen.Int[1, 40],
            Gen.Int[1, 5],
            Gen.Int[1, 5],
            Gen.Int[1, 3],
            Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3])
        )
        .Select(
            (height, width, channels, filters, kernelHeight, kernelWidth, stride, padding) =>
                new ConvolutionShape(height, width, channels, filters, kernelHeight, kernelWidth, stride, padding.Item1, padding.Item2)
        )
        .Where(shape => shape.OutputHeight > 0 && shape.OutputWidth > 0);

    internal static class Seams
    {
        public static TheoryData<ConvolutionShape, int, int> Cases =>
            new()
            {
                // height, width, channels, filters, kernel height and width, stride, padding height and width; rows, microbatch
                { new(14, 14, 32, 64, 3, 3, 1, 1, 1), 3, 2 }, // whole panels
                { new(28, 28, 1, 32, 3, 3, 1, 1, 1), 5, 2 }, // one channel: nine rows of weights' gradients
                { new(6, 5, 3, 48, 3, 3, 1, 1, 1), 5, 3 }, // a panel and a half, read in place
                { new(6, 5, 3, 96, 3, 2, 1, 1, 0), 3, 2 }, // three panels, copied
                { new(8, 8, 16, 32, 3, 3, 2, 1, 1), 7, 7 }, // stride: four classes of input pixels, and those at the edges
                { new(5, 5, 4, 33, 1, 1, 2, 0, 0), 13, 1 }, // input pixels that no output looks at; thirteen microbatches
                { new(3, 4, 2, 5, 5, 5, 1, 3, 2), 4, 2 }, // output pixels with a single tap
                { new(1, 1, 3, 2, 3, 3, 1, 4, 4), 2, 1 }, // output pixels without any
                { new(40, 40, 24, 33, 3, 3, 1, 1, 1), 3, 3 }, // each image a block of its own
            };
    }

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Every_pass_is_its_chains_and_tree_for_any_shape_and_thread_count() =>
        Gen.Select(Shapes, Gen.Int[1, 14], Gen.Int[1, 6], Gen.UInt)
            .Sample((shape, rows, microbatch, seed) => Check(shape, rows, microbatch, Values(seed)), iter: 120, threads: 1);

    [Theory]
    [MemberData(nameof(Seams.Cases), MemberType = typeof(Seams))]
    internal void Seams_of_tiles_classes_and_blocks_do_not_show(ConvolutionShape shape, int rows, int microbatch) =>
        Check(shape, rows, microbatch, Values(1u));

    [Fact]
    public void A_pass_in_parts_has_the_same_bits() =>
        Gen.Select(Shapes, Gen.Int[1, 14], Gen.Int[1, 6], Gen.Int[1, 14])
            .Sample((shape, rows, microbatch, part) => CheckParts(shape, rows, microbatch, part), iter: 60, threads: 1);

    [Fact]
    public void A_pass_in_lanes_has_the_same_bits() =>
        Gen.Select(Shapes, Gen.Int[2, 4], Gen.Int[0, 2], Gen.Int[0, 5], Gen.Int[1, 3])
            .Sample(
                (shape, threads, laneBits, rest, microbatch) => CheckSegments(shape, threads, 1 << laneBits, rest, microbatch),
                iter: 60,
                threads: 1
            );

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)] // seams inside of microbatches and between them
    [InlineData(25)]
    public void Parts_of_a_pass_may_end_anywhere(int part) => CheckParts(new(14, 14, 8, 64, 3, 3, 1, 1, 1), rows: 29, microbatch: 10, part);

    [Fact]
    public void Special_values_stay_where_they_belong()
    {
        float[] special =
        [
            float.NaN,
            float.PositiveInfinity,
            float.NegativeInfinity,
            -0f,
            0f,
            float.Epsilon,
            -float.Epsilon,
            1e-39f,
            float.MaxValue,
            1f,
        ];
        Gen.Select(Shapes, Gen.UInt)
            .Sample(
                (shape, seed) => Check(shape, rows: 3, microbatch: 2, (length, salt) => Sprinkled(special, length, seed + salt)),
                iter: 60,
                threads: 1
            );
    }

    [Fact]
    public void Padding_adds_no_term()
    {
        // One pixel under the middle of a kernel whose other weights are infinite; the product underflows to -0, which a term of +0 would
        // turn into +0.
        var shape = new ConvolutionShape(1, 1, 1, 1, 3, 3, 1, 1, 1);
        float[] weights = [.. Enumerable.Range(0, 9).Select(tap => tap == 4 ? -float.Epsilon : float.PositiveInfinity)];
        float[] output = new float[1],
            gradient = new float[1],
            weightGradient = new float[9];
        var convolution = new Convolution(shape, 1, 1, inputGradient: true);
        convolution.BindWeights(weights, [], _teams[0]);
        convolution.Forward<IdentityActivation>([float.Epsilon], 1, output, _teams[0]);
        BitAssert.Equal([-0f], output);
        convolution.InputGradient([float.Epsilon], 1, gradient, _teams[0]);
        BitAssert.Equal([-0f], gradient);
        convolution.ParameterGradient([float.NaN], [1f], 1, weightGradient, [], _teams[0]);
        Assert.Equal(8, weightGradient.Count(value => value == 0));
    }

    [Theory]
    [MemberData(nameof(Seams.Cases), MemberType = typeof(Seams))]
    internal void Gradients_agree_with_finite_differences(ConvolutionShape shape, int rows, int microbatch)
    {
        // With L = sum(G * y), which is linear in the input and in the weights, a difference of any width is exact but for rounding.
        float[] x = Oracle.Values(rows * shape.InputLength, 1),
            w = Oracle.Values(shape.WeightLength, 2),
            g = Oracle.Values(rows * shape.OutputLength, 3);
        var convolution = new Convolution(shape, rows, microbatch, inputGradient: true);
        float[] dx = new float[x.Length],
            dw = new float[w.Length],
            db = new float[shape.Filters];
        convolution.BindWeights(w, [], _teams[1]);
        convolution.InputGradient(g, rows, dx, _teams[1]);
        convolution.ParameterGradient(x, g, rows, dw, db, _teams[1]);
        for (var i = 0; i < 5; i++)
        {
            var (input, weight) = (i * 7919 % x.Length, i * 7919 % w.Length);
            AssertClose(Loss(Moved(x, input, 1), w) - Loss(Moved(x, input, -1), w), 2 * dx[input]);
            AssertClose(Loss(x, Moved(w, weight, 1)) - Loss(x, Moved(w, weight, -1)), 2 * dw[weight]);
        }

        for (var filter = 0; filter < db.Length; filter++)
            AssertClose(g.Where((_, i) => i % shape.Filters == filter).Sum(value => (double)value), db[filter]);

        double Loss(float[] input, float[] weights)
        {
            var output = new float[g.Length];
            convolution.BindWeights(weights, [], _teams[1]);
            convolution.Forward<IdentityActivation>(input, rows, output, _teams[1]);
            return output.Zip(g, (y, factor) => (double)y * factor).Sum();
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var shape = new ConvolutionShape(4, 4, 2, 3, 3, 3, 1, 1, 1);
        var convolution = new Convolution(shape, 4, 2, inputGradient: false);
        var team = _teams[0];
        Assert.Throws<ArgumentException>("weights", () => convolution.BindWeights(new float[53], new float[3], team));
        Assert.Throws<ArgumentException>("bias", () => convolution.BindWeights(new float[54], new float[2], team));
        Assert.Throws<ArgumentException>("input", () => convolution.Forward<IdentityActivation>(new float[31], 1, new float[48], team));
        Assert.Throws<ArgumentException>("output", () => convolution.Forward<IdentityActivation>(new float[32], 1, new float[47], team));
        Assert.Throws<InvalidOperationException>(() => convolution.InputGradient(new float[48], 1, new float[32], team));
        Assert.Throws<ArgumentException>("weightGradient", () =>
            convolution.ParameterGradient(new float[32], new float[48], 1, new float[53], new float[3], team)
        );
        Assert.Throws<ArgumentException>("biasGradient", () =>
            convolution.ParameterGradient(new float[32], new float[48], 1, new float[54], new float[4], team)
        );
        Assert.Throws<ArgumentOutOfRangeException>("passRows", () =>
            convolution.ParameterGradient(new float[160], new float[240], 5, new float[54], new float[3], team)
        );
        Assert.Throws<ArgumentOutOfRangeException>("rows", () =>
            convolution.ParameterGradient(new float[64], new float[96], 2, 3, 4, new float[54], new float[3], team)
        );
        Assert.Throws<ArgumentOutOfRangeException>("rowsBefore", () =>
            convolution.ParameterGradient(new float[64], new float[96], 2, -1, 4, new float[54], new float[3], team)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => new Convolution(shape with { KernelWidth = 7 }, 1, 1, inputGradient: false));
        Assert.Throws<ArgumentOutOfRangeException>("microbatch", () => new Convolution(shape, 1, 0, inputGradient: false));
    }

    [Fact]
    public void Warmed_passes_allocate_nothing()
    {
        var shape = new ConvolutionShape(6, 6, 3, 20, 3, 3, 1, 1, 1);
        const int rows = 8;
        var convolution = new Convolution(shape, rows, 2, inputGradient: true);
        float[] x = new float[rows * shape.InputLength],
            y = new float[rows * shape.OutputLength],
            w = new float[shape.WeightLength],
            b = new float[shape.Filters];
        foreach (var team in _teams)
        {
            AllocationAssert.NothingOnceWarm(() =>
            {
                convolution.BindWeights(w, b, team);
                convolution.Forward<ReluActivation>(x, rows, y, team);
                convolution.InputGradient(y, rows, x, team);
                convolution.ParameterGradient(x, y, rows, w, b, team);
            });
        }
    }

    private void Check(ConvolutionShape shape, int rows, int microbatch, Func<int, uint, float[]> values)
    {
        float[] x = values(rows * shape.InputLength, 1),
            g = values(rows * shape.OutputLength, 4);
        float[] w = values(shape.WeightLength, 2),
            b = values(rows % 2 == 0 ? 0 : shape.Filters, 3);
        var oracle = new ConvolutionOracle(shape);
        float[] output = oracle.Forward(x, w, b, rows),
            inputGradient = oracle.InputGradient(g, w, rows);
        var (weightGradient, biasGradient) = oracle.ParameterGradient(x, g, rows, microbatch);
        var convolution = new Convolution(shape, rows, microbatch, inputGradient: true);
        var (source, gradient) = (new GuardedBuffer(x), new GuardedBuffer(g));
        foreach (var team in _teams)
        {
            var what = $"{shape}, {rows} rows in microbatches of {microbatch}, {team.Threads} threads";
            convolution.BindWeights(w, b, team);
            AssertFills(
                output,
                destination => convolution.Forward<ReluActivation>(source.Span, rows, destination.Span, team),
                $"output of {what}"
            );
            AssertFills(
                inputGradient,
                destination => convolution.InputGradient(gradient.Span, rows, destination.Span, team),
                $"input gradient of {what}"
            );
            var biases = new GuardedBuffer(biasGradient.Length);
            AssertFills(
                weightGradient,
                destination => convolution.ParameterGradient(source.Span, gradient.Span, rows, destination.Span, biases.Span, team),
                $"weight gradient of {what}"
            );
            BitAssert.Equal(biasGradient, biases.Span, $"bias gradient of {what}");
            biases.AssertGuards();
        }
    }

    /// <summary>The destinations may hold anything until the last call.</summary>
    private void CheckParts(ConvolutionShape shape, int rows, int microbatch, int part)
    {
        float[] x = Oracle.Values(rows * shape.InputLength, 1),
            g = Oracle.Values(rows * shape.OutputLength, 4);
        var (expectedWeights, expectedBiases) = new ConvolutionOracle(shape).ParameterGradient(x, g, rows, microbatch);
        var convolution = new Convolution(shape, rows, microbatch, inputGradient: false);
        foreach (var team in _teams)
        {
            var (weights, biases) = (new GuardedBuffer(expectedWeights.Length), new GuardedBuffer(expectedBiases.Length));
            for (var first = 0; first < rows; first += part)
            {
                var count = Math.Min(part, rows - first);
                var source = new GuardedBuffer(x.AsSpan(first * shape.InputLength, count * shape.InputLength).ToArray());
                var gradient = new GuardedBuffer(g.AsSpan(first * shape.OutputLength, count * shape.OutputLength).ToArray());
                convolution.ParameterGradient(source.Span, gradient.Span, count, first, rows, weights.Span, biases.Span, team);
            }

            var what = $"{shape}, {rows} rows by {part} in microbatches of {microbatch}, {team.Threads} threads";
            BitAssert.Equal(expectedWeights, weights.Span, $"weight gradient of {what}");
            BitAssert.Equal(expectedBiases, biases.Span, $"bias gradient of {what}");
            weights.AssertGuards();
            biases.AssertGuards();
        }
    }

    /// <summary>
    /// First two segments that are split over the threads, the second with one microbatch each, then the rest; the pass may end with any of
    /// them, and with a short microbatch.
    /// </summary>
    private void CheckSegments(ConvolutionShape shape, int threads, int microbatches, int rest, int microbatch)
    {
        int first = threads * microbatches * microbatch,
            second = rest > 2 ? threads * microbatch : 0;
        var rows = first + second + (rest % 3 * microbatch) - (microbatch / 2);
        float[] x = Oracle.Values(rows * shape.InputLength, 1),
            g = Oracle.Values(rows * shape.OutputLength, 4);
        var (expectedWeights, expectedBiases) = new ConvolutionOracle(shape).ParameterGradient(x, g, rows, microbatch);
        var convolution = new Convolution(shape, rows, microbatch, inputGradient: false, threads);
        foreach (var team in _teams)
        {
            var (weights, biases) = (new GuardedBuffer(expectedWeights.Length), new GuardedBuffer(expectedBiases.Length));
            Take(new PassSegment(0, Math.Min(rows, first), threads, microbatches * microbatch), weights, biases, team);
            if (second > 0)
                Take(new PassSegment(first, Math.Min(rows, first + second), threads, microbatch), weights, biases, team);
            if (first + second < rows)
            {
                convolution.ParameterGradient(
                    Images(x, first + second, rows),
                    Images(g, first + second, rows),
                    rows - first - second,
                    first + second,
                    rows,
                    weights.Span,
                    biases.Span,
                    team
                );
            }

            var what =
                $"{shape}, {rows} rows in microbatches of {microbatch}, split over {threads} by {microbatches}, {team.Threads} threads";
            BitAssert.Equal(expectedWeights, weights.Span, $"weight gradient of {what}");
            BitAssert.Equal(expectedBiases, biases.Span, $"bias gradient of {what}");
            weights.AssertGuards();
            biases.AssertGuards();
        }

        void Take(PassSegment segment, GuardedBuffer weights, GuardedBuffer biases, ComputeTeam team)
        {
            for (var index = segment.Threads - 1; index >= 0; index--)
            {
                var thread = segment.RowsOf(index);
                for (var image = thread.FirstRow; image < thread.FirstRow + thread.Rows; image++)
                {
                    convolution.ThreadGradient(
                        Images(x, image, image + 1),
                        Images(g, image, image + 1),
                        1,
                        image - thread.FirstRow,
                        thread,
                        hasBias: true,
                        team
                    );
                }
            }

            convolution.MergeThreadGradients(segment, rows, weights.Span, biases.Span, team);
        }

        Span<float> Images(float[] all, int start, int end) => all.AsSpan(start * (all.Length / rows), (end - start) * (all.Length / rows));
    }

    private static void AssertFills(float[] expected, Action<GuardedBuffer> fill, string what)
    {
        var actual = new GuardedBuffer(expected.Length);
        fill(actual);
        BitAssert.Equal(expected, actual.Span, what);
        actual.AssertGuards();
    }

    private static Func<int, uint, float[]> Values(uint seed) => (length, salt) => Oracle.Values(length, seed + salt);

    /// <summary>Ordinary values, with a special one here and there.</summary>
    private static float[] Sprinkled(float[] special, int length, uint seed)
    {
        var values = Oracle.Values(length, seed);
        for (var i = seed % 7; i < length; i += 11)
            values[i] = special[(i + seed) % special.Length];
        return values;
    }

    private static float[] Moved(float[] values, int index, float distance)
    {
        float[] moved = [.. values];
        moved[index] += distance;
        return moved;
    }

    private static void AssertClose(double expected, double actual)
    {
        var tolerance = 0.02 + (1e-3 * Math.Abs(expected));
        Assert.InRange(actual, expected - tolerance, expected + tolerance);
    }
}
