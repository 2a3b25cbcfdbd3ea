using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class SoftmaxCrossEntropyTests
{
    [Fact]
    public void Gradient_and_loss_agree_with_double_precision() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, 70], Gen.UInt).Sample(CheckAgainstDouble, iter: 300, threads: 1);

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public void Few_and_many_classes_are_right(int classes) => CheckAgainstDouble(3, classes, 5);

    [Fact]
    public void Huge_and_equal_logits_are_stable()
    {
        float[] logits =
        [
            1e30f,
            -1e30f,
            0, /**/
            -1e30f,
            -1e30f,
            -1e30f, /**/
            1e30f,
            1e30f,
            1e30f, /**/
            -1e30f,
            1e30f,
            0,
        ];
        var losses = new float[4];
        var correct = SoftmaxCrossEntropy.ForwardBackward(logits, [0, 1, 0, 1], 3, losses);
        const float third = 1f / 3;
        Assert.Equal(3, correct); // row 1 is a tie, and its first maximum is not the label
        Assert.Equal([0, MathF.Log(3), MathF.Log(3), 0], losses);
        Assert.Equal([0, 0, 0, third, third - 1, third, third - 1, third, third, 0, 0, 0], logits);
    }

    [Fact]
    public void A_hopeless_label_has_a_finite_loss()
    {
        var losses = new float[1];
        SoftmaxCrossEntropy.Forward([1e30f, -1e30f], [1], 2, losses);
        Assert.Equal(2e30f, losses[0]);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_logit_that_is_not_finite_makes_the_loss_not_finite(float bad)
    {
        for (var position = 0; position < 40; position++)
        {
            float[] logits = Oracle.Values(40, 1),
                losses = new float[1];
            logits[position] = bad;
            SoftmaxCrossEntropy.ForwardBackward(logits, [3], 40, losses);
            Assert.False(float.IsFinite(losses[0]));
        }
    }

    [Fact]
    public void The_gradient_is_the_derivative_of_the_loss()
    {
        const int classes = 5;
        float[] logits = [0.3f, -1.2f, 2.1f, 0.7f, -0.4f],
            gradient = [.. logits],
            loss = new float[1];
        SoftmaxCrossEntropy.ForwardBackward(gradient, [3], classes, loss);
        for (var j = 0; j < classes; j++)
        {
            const float step = 1f / 256;
            float[] up = [.. logits],
                down = [.. logits],
                high = new float[1],
                low = new float[1];
            up[j] += step;
            down[j] -= step;
            SoftmaxCrossEntropy.Forward(up, [3], classes, high);
            SoftmaxCrossEntropy.Forward(down, [3], classes, low);
            Assert.Equal((high[0] - low[0]) / (2 * step), gradient[j], 1e-4f);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MinValue)]
    public void A_label_out_of_range_is_named_and_nothing_is_written(int label)
    {
        var logits = new GuardedBuffer([1, 2, 3, 4, 5, 6]);
        var losses = new float[2];
        var error = Assert.Throws<ArgumentOutOfRangeException>("labels", () =>
            SoftmaxCrossEntropy.ForwardBackward(logits.Span, [0, label], 3, losses)
        );
        Assert.Contains($"Row 1 has label {label}, but labels are 0 to 2", error.Message, StringComparison.Ordinal);
        BitAssert.Equal([1, 2, 3, 4, 5, 6], logits.Span);
        BitAssert.Equal([0, 0], losses);
    }

    [Fact]
    public void Smoothed_labels_agree_with_double_precision() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 70], Gen.UInt, Gen.Float[0, 0.99f])
            .Sample(
                (rows, classes, seed, smoothing) =>
                {
                    var logits = Oracle.Values(rows * classes, seed);
                    int[] labels = [.. Enumerable.Range(0, rows).Select(row => (int)((seed + (uint)(row * 31)) % (uint)classes))];
                    GuardedBuffer gradient = new(logits),
                        losses = new(rows);
                    SoftmaxCrossEntropy.ForwardBackward(gradient.Span, labels, classes, losses.Span, smoothing);
                    for (var row = 0; row < rows; row++)
                    {
                        double[] z = [.. logits.Skip(row * classes).Take(classes).Select(value => (double)value)];
                        var logSum = z.Max() + Math.Log(z.Sum(value => Math.Exp(value - z.Max())));
                        double[] target = [.. z.Select((_, j) => ((double)smoothing / classes) + (j == labels[row] ? 1 - smoothing : 0))];
                        Assert.Equal(target.Zip(z, (t, value) => t * (logSum - value)).Sum(), losses.Span[row], 1e-4);
                        for (var j = 0; j < classes; j++)
                            Assert.Equal(Math.Exp(z[j] - logSum) - target[j], gradient.Span[(row * classes) + j], 1e-6);
                    }

                    gradient.AssertGuards();
                    losses.AssertGuards();
                },
                iter: 300,
                threads: 1
            );

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1)]
    [InlineData(float.NaN)]
    public void A_smoothing_out_of_range_is_refused(float smoothing) =>
        Assert.Throws<ArgumentOutOfRangeException>("labelSmoothing", () =>
            SoftmaxCrossEntropy.ForwardBackward(new float[2], [0], 2, new float[1], smoothing)
        );

    [Fact]
    public void What_lies_behind_a_label_is_left_aside()
    {
        float[] expected = Oracle.Values(50, 1),
            gradient = [.. expected],
            losses = new float[5],
            expectedLosses = new float[5];
        var correct = SoftmaxCrossEntropy.ForwardBackward(expected, [3, 1, 4, 1, 5], 10, expectedLosses);
        Assert.Equal(correct, SoftmaxCrossEntropy.ForwardBackward(gradient, [3, -1, 1, 99, 4, -1, 1, 99, 5, 0], 10, losses));
        BitAssert.Equal(expected, gradient);
        BitAssert.Equal(expectedLosses, losses);
    }

    [Theory]
    [InlineData(10, 4000)]
    [InlineData(1000, 33)]
    [InlineData(20_000, 5)]
    public void Any_number_of_threads_gives_the_same_bits(int classes, int rows)
    {
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row * 7 % classes)];
        float[] expected = Oracle.Values(rows * classes, 1),
            expectedLosses = new float[rows];
        var expectedCorrect = SoftmaxCrossEntropy.ForwardBackward(expected, labels, classes, expectedLosses, 0.1f);
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var team = new ComputeTeam(threads);
            float[] logits = Oracle.Values(rows * classes, 1),
                losses = new float[rows];
            Assert.Equal(expectedCorrect, SoftmaxCrossEntropy.ForwardBackward(logits, labels, classes, losses, 0.1f, team));
            BitAssert.Equal(expected, logits);
            BitAssert.Equal(expectedLosses, losses);
        }
    }

    [Fact]
    public void Of_equal_largest_logits_only_the_first_counts_as_right()
    {
        for (var label = 0; label < 40; label++)
        {
            var logits = new float[40];
            logits[label] = logits[39] = 2;
            Assert.Equal(1, SoftmaxCrossEntropy.Forward(logits, [label], 40, new float[1]));
            Assert.Equal(label == 39 ? 1 : 0, SoftmaxCrossEntropy.Forward(logits, [39], 40, new float[1]));
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.Forward(new float[5], [0, 1], 3, new float[2]));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.Forward(new float[6], [0, 1], 3, new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>("classes", () => SoftmaxCrossEntropy.Forward([], [], 0, []));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(67)]
    public void Every_width_has_the_same_bits(int classes)
    {
        var (scalar, scalarLosses) = Run<LanesScalar, float>(classes);
        AssertSame(Run<Lanes512, Vector512<float>>(classes));
        AssertSame(Run<Lanes256, Vector256<float>>(classes));
        AssertSame(Run<Lanes128, Vector128<float>>(classes));

        void AssertSame((float[] Gradient, float[] Losses) actual)
        {
            BitAssert.Equal(scalar, actual.Gradient);
            BitAssert.Equal(scalarLosses, actual.Losses);
        }
    }

    private static (float[] Gradient, float[] Losses) Run<TLanes, TVector>(int classes)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float[] logits = Oracle.Values(4 * classes, 9),
            losses = new float[4];
        int[] labels = [0, classes - 1, classes / 2, classes / 3];
        var correct = 0;
        fixed (
            float* z = logits,
                loss = losses
        )
        fixed (int* label = labels)
            new SoftmaxRows(z, label, classes, 0.125f, loss, backward: true, &correct).Execute<TLanes, TVector>(0, 4);
        return (logits, losses);
    }

    private static void CheckAgainstDouble(int rows, int classes, uint seed)
    {
        var logits = Oracle.Values(rows * classes, seed);
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => (int)((seed + (uint)(row * 31)) % (uint)classes))];
        var gradient = new GuardedBuffer(logits);
        var losses = new GuardedBuffer(rows);
        var forwardLosses = new float[rows];
        var correct = SoftmaxCrossEntropy.ForwardBackward(gradient.Span, labels, classes, losses.Span);
        Assert.Equal(correct, SoftmaxCrossEntropy.Forward(logits, labels, classes, forwardLosses));
        BitAssert.Equal(forwardLosses, losses.Span);
        var expectedCorrect = 0;
        for (var row = 0; row < rows; row++)
        {
            var z = logits[(row * classes)..((row + 1) * classes)];
            double maximum = z.Max(),
                sum = z.Sum(value => Math.Exp(value - maximum));
            expectedCorrect += Array.IndexOf(z, (float)maximum) == labels[row] ? 1 : 0;
            Assert.Equal(Math.Log(sum) - (z[labels[row]] - maximum), losses.Span[row], 1e-5);
            for (var j = 0; j < classes; j++)
                Assert.Equal((Math.Exp(z[j] - maximum) / sum) - (j == labels[row] ? 1 : 0), gradient.Span[(row * classes) + j], 1e-6);
        }

        Assert.Equal(expectedCorrect, correct);
        gradient.AssertGuards();
        losses.AssertGuards();
    }
}
