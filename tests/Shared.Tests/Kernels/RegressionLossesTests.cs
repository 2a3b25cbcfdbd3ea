using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class RegressionLossesTests
{
    private const float Delta = 0.75f;

    [Fact]
    public void Every_number_of_rows_and_targets_agrees_with_double_precision() =>
        Gen.Select(Gen.Int[0, 70], Gen.Int[1, 5], Gen.Int[0, 2], Gen.UInt)
            .Sample(
                (rows, width, behind, seed) =>
                {
                    CheckAgainstDouble(new SquaredLoss(), rows, width, behind, seed, e => e * e / 2, e => e);
                    CheckAgainstDouble(new AbsoluteLoss(), rows, width, behind, seed, Math.Abs, e => Math.Sign(e));
                    CheckAgainstDouble(new HuberLoss(Delta), rows, width, behind, seed, Huber, e => Math.Clamp(e, -Delta, Delta));
                },
                iter: 200,
                threads: 1
            );

    [Fact]
    public void At_a_distance_of_0_every_gradient_is_0()
    {
        foreach (var rows in new[] { 1, 40 })
        {
            var values = Oracle.Values(rows, 3);
            BitAssert.Equal(new float[rows], Run(new SquaredLoss(), values, values).Gradient);
            BitAssert.Equal(new float[rows], Run(new AbsoluteLoss(), values, values).Gradient);
            BitAssert.Equal(new float[rows], Run(new HuberLoss(Delta), values, values).Gradient);
        }
    }

    [Fact]
    public void Just_at_its_delta_both_pieces_of_a_Huber_loss_meet()
    {
        var run = Run(new HuberLoss(0.5f), [0.5f, -0.5f, 4, -4], new float[4]);
        Assert.Equal([0.125f, 0.125f, 1.875f, 1.875f], run.Losses);
        Assert.Equal([0.5f, -0.5f, 0.5f, -0.5f], run.Gradient);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void An_output_that_is_not_finite_makes_the_loss_not_finite(float bad)
    {
        for (var position = 0; position < 40; position++)
        {
            var outputs = Oracle.Values(40, 1);
            outputs[position] = bad;
            Assert.False(float.IsFinite(Run(new SquaredLoss(), outputs, new float[40]).Losses[position]));
            Assert.False(float.IsFinite(Run(new AbsoluteLoss(), outputs, new float[40]).Losses[position]));
            Assert.False(float.IsFinite(Run(new HuberLoss(Delta), outputs, new float[40]).Losses[position]));
        }
    }

    [Theory]
    [InlineData(40_000, 1)]
    [InlineData(9_001, 3)]
    public void Any_number_of_threads_gives_the_same_bits(int rows, int width)
    {
        float[] outputs = Oracle.Values(rows * width, 1),
            targets = Oracle.Values(rows * width, 2);
        var expected = Run(new HuberLoss(Delta), outputs, targets, width);
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var team = new ComputeTeam(threads);
            AssertSame(expected, Run(new HuberLoss(Delta), outputs, targets, width, team));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(67)]
    public void Every_width_has_the_same_bits(int rows)
    {
        CheckWidths(new SquaredLoss(), rows);
        CheckWidths(new AbsoluteLoss(), rows);
        CheckWidths(new HuberLoss(Delta), rows);
    }

    [Fact]
    public void One_target_has_the_bits_of_one_among_words_of_something_else()
    {
        float[] outputs = Oracle.Values(67, 1),
            targets = Oracle.Values(67, 2);
        int[] spread = [.. Bits(targets).SelectMany(bits => new[] { bits, 17 })];
        float[] gradient = [.. outputs],
            losses = new float[67],
            squares = new float[67],
            distances = new float[67];
        RegressionLosses.ForwardBackward(gradient, spread, [1], losses, squares, distances, new HuberLoss(Delta));
        AssertSame(Run(new HuberLoss(Delta), outputs, targets), (gradient, losses, squares, distances));
    }

    [Fact]
    public void Forward_writes_the_same_terms_and_leaves_the_outputs()
    {
        float[] outputs = Oracle.Values(67, 1),
            kept = [.. outputs],
            targets = Oracle.Values(67, 2),
            losses = new float[67],
            squares = new float[67],
            distances = new float[67];
        RegressionLosses.Forward(kept, Bits(targets), [1], losses, squares, distances, new SquaredLoss());
        var expected = Run(new SquaredLoss(), outputs, targets);
        AssertSame(expected, (expected.Gradient, losses, squares, distances));
        BitAssert.Equal(outputs, kept);
    }

    [Fact]
    public void A_warmed_call_allocates_nothing()
    {
        float[] outputs = Oracle.Values(90, 1),
            terms = new float[30];
        var targets = new int[90];
        AllocationAssert.NothingOnceWarm(() =>
            RegressionLosses.ForwardBackward(outputs, targets, [1, 1, 1], terms, terms, terms, new HuberLoss(Delta))
        );
    }

    [Theory]
    [InlineData(5, 6, 2, 3, 3)]
    [InlineData(6, 5, 2, 3, 3)]
    [InlineData(6, 7, 2, 3, 3)]
    [InlineData(6, 6, 2, 4, 3)]
    [InlineData(6, 6, 2, 3, 4)]
    [InlineData(6, 6, 0, 3, 3)]
    public void Lengths_that_do_not_fit_are_refused(int outputs, int targets, int width, int losses, int others) =>
        Assert.ThrowsAny<ArgumentException>(() =>
            RegressionLosses.ForwardBackward(
                new float[outputs],
                new int[targets],
                new float[width],
                new float[losses],
                new float[others],
                new float[others],
                new SquaredLoss()
            )
        );

    private static double Huber(double e) => Math.Abs(e) <= Delta ? e * e / 2 : Delta * (Math.Abs(e) - (Delta / 2));

    private static int[] Bits(float[] values) => MemoryMarshal.Cast<float, int>(values).ToArray();

    private static (float[] Gradient, float[] Losses, float[] Squares, float[] Distances) Run<TLoss>(
        TLoss loss,
        float[] outputs,
        float[] targets,
        int width = 1,
        ComputeTeam? team = null
    )
        where TLoss : unmanaged, IRegressionLoss
    {
        var rows = outputs.Length / width;
        float[] gradient = [.. outputs],
            losses = new float[rows],
            squares = new float[rows],
            distances = new float[rows];
        var scales = Enumerable.Repeat(1f, width).ToArray();
        RegressionLosses.ForwardBackward(gradient, Bits(targets), scales, losses, squares, distances, loss, team);
        return (gradient, losses, squares, distances);
    }

    private static void AssertSame(
        (float[] Gradient, float[] Losses, float[] Squares, float[] Distances) expected,
        (float[] Gradient, float[] Losses, float[] Squares, float[] Distances) actual
    )
    {
        BitAssert.Equal(expected.Gradient, actual.Gradient, "gradient");
        BitAssert.Equal(expected.Losses, actual.Losses, "losses");
        BitAssert.Equal(expected.Squares, actual.Squares, "squares");
        BitAssert.Equal(expected.Distances, actual.Distances, "distances");
    }

    private static void CheckWidths<TLoss>(TLoss loss, int rows)
        where TLoss : unmanaged, IRegressionLoss
    {
        var expected = OfWidth<TLoss, LanesScalar, float>(loss, rows);
        AssertSame(expected, OfWidth<TLoss, Lanes512, Vector512<float>>(loss, rows));
        AssertSame(expected, OfWidth<TLoss, Lanes256, Vector256<float>>(loss, rows));
        AssertSame(expected, OfWidth<TLoss, Lanes128, Vector128<float>>(loss, rows));
    }

    private static (float[] Gradient, float[] Losses, float[] Squares, float[] Distances) OfWidth<TLoss, TLanes, TVector>(
        TLoss loss,
        int rows
    )
        where TLoss : unmanaged, IRegressionLoss
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float[] outputs = Oracle.Values(rows, 9),
            targets = Oracle.Values(rows, 8),
            losses = new float[rows],
            squares = new float[rows],
            distances = new float[rows];
        var scale = 0.3f;
        fixed (
            float* output = outputs,
                target = targets,
                lossTerm = losses,
                square = squares,
                distance = distances
        )
        {
            var kernel = new RegressionRows<TLoss>(output, target, 1, 1, &scale, lossTerm, square, distance, loss, backward: true);
            kernel.Execute<TLanes, TVector>(0, rows);
        }

        return (outputs, losses, squares, distances);
    }

    private static void CheckAgainstDouble<TLoss>(
        TLoss loss,
        int rows,
        int width,
        int behind,
        uint seed,
        Func<double, double> value,
        Func<double, double> derivative
    )
        where TLoss : unmanaged, IRegressionLoss
    {
        var stride = width + behind;
        float[] outputs = Oracle.Values(rows * width, seed),
            targets = Oracle.Values(rows * stride, seed + 1),
            scales = [.. Enumerable.Range(1, width).Select(target => 1f / target)];
        GuardedBuffer gradient = new(outputs),
            losses = new(rows),
            squares = new(rows),
            distances = new(rows);
        RegressionLosses.ForwardBackward(gradient.Span, Bits(targets), scales, losses.Span, squares.Span, distances.Span, loss);
        for (var row = 0; row < rows; row++)
        {
            double[] errors =
            [
                .. Enumerable.Range(0, width).Select(i => (double)(outputs[(row * width) + i] - targets[(row * stride) + i])),
            ];
            double[] scaled = [.. errors.Select((error, i) => Math.Abs(error) * scales[i])];
            AssertClose(errors.Sum(value), losses.Span[row]);
            AssertClose(scaled.Sum(distance => distance * distance), squares.Span[row]);
            AssertClose(scaled.Sum(), distances.Span[row]);
            for (var i = 0; i < width; i++)
                AssertClose(derivative(errors[i]), gradient.Span[(row * width) + i]);
        }

        gradient.AssertGuards();
        losses.AssertGuards();
        squares.AssertGuards();
        distances.AssertGuards();
    }

    private static void AssertClose(double expected, float actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-6 * Math.Max(1, Math.Abs(expected)), $"{actual} is not {expected}");
}
