using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class SampleWeightsTests
{
    private static readonly float[] ClassWeights = [0.1f, 3, 1];

    [Fact]
    public void Every_row_is_multiplied_by_the_weight_of_its_class_and_its_own() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[1, 40], Gen.Bool, Gen.Bool, Gen.UInt)
            .Sample(
                (rows, width, byClass, bySample, seed) =>
                {
                    float[] values = Oracle.Values(rows * width, seed),
                        weights = Oracle.Values(rows, seed + 1);
                    int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 3)];
                    var words = bySample ? Joined(labels, weights) : labels;
                    GuardedBuffer gradient = new(values),
                        losses = new([.. weights]);
                    SampleWeights.Apply(gradient.Span, losses.Span, words, byClass ? ClassWeights : [], bySample);
                    for (var row = 0; row < rows; row++)
                    {
                        var weight = (byClass ? ClassWeights[labels[row]] : 1) * (bySample ? weights[row] : 1);
                        Assert.Equal(weights[row] * weight, losses.Span[row]);
                        for (var i = 0; i < width; i++)
                            Assert.Equal(values[(row * width) + i] * weight, gradient.Span[(row * width) + i]);
                    }

                    gradient.AssertGuards();
                    losses.AssertGuards();
                },
                iter: 200,
                threads: 1
            );

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        const int rows = 3000;
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 3)];
        var expected = Run(team: null);
        foreach (var threads in new[] { 2, 3 })
        {
            using var team = new ComputeTeam(threads);
            BitAssert.Equal(expected, Run(team));
        }

        float[] Run(ComputeTeam? team)
        {
            float[] gradient = Oracle.Values(rows * 10, 1),
                losses = Oracle.Values(rows, 2);
            SampleWeights.Apply(gradient, losses, labels, ClassWeights, hasWeights: false, team);
            return [.. gradient, .. losses];
        }
    }

    [Fact]
    public void A_warmed_call_allocates_nothing()
    {
        float[] gradient = Oracle.Values(60, 1),
            losses = Oracle.Values(6, 2);
        var labels = new int[6];
        AllocationAssert.NothingOnceWarm(() => SampleWeights.Apply(gradient, losses, labels, ClassWeights, hasWeights: false));
    }

    [Theory]
    [InlineData(5, 2, 2)]
    [InlineData(4, 2, 1)]
    [InlineData(4, 2, 3)]
    public void Lengths_that_do_not_fit_are_refused(int gradient, int losses, int targets) =>
        Assert.Throws<ArgumentException>(() =>
            SampleWeights.Apply(new float[gradient], new float[losses], new int[targets], [], hasWeights: true)
        );

    private static int[] Joined(int[] labels, float[] weights) =>
        [
            .. labels
                .Zip(MemoryMarshal.Cast<float, int>(weights).ToArray(), (label, bits) => new[] { label, bits })
                .SelectMany(words => words),
        ];
}
