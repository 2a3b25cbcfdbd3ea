using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>The kernels against torch.optim's formulas in double precision, over several steps.</summary>
public sealed class OptimizerKernelsTests : IDisposable
{
    private const int Samples = 48;
    private const int Steps = 5;
    private const float ClipScale = 0.625f;

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Theory]
    [InlineData(0f, false, 0f)]
    [InlineData(0f, false, 0.01f)]
    [InlineData(0.9f, false, 0f)]
    [InlineData(0.9f, true, 0.01f)]
    public void Sgd_follows_torch_for_every_length(float momentum, bool nesterov, float decay)
    {
        var settings = new SgdSettings(0.1f, momentum, nesterov, decay);
        for (var length = 0; length <= 256; length++)
        {
            var weights = new GuardedBuffer(Oracle.Values(length, 1));
            var velocity = new GuardedBuffer(length);
            velocity.Span.Clear();
            double[] w = [.. weights.Span.ToArray()],
                v = new double[length];
            for (uint step = 1; step <= Steps; step++)
            {
                var gradient = Oracle.Values(length, 100 + step);
                OptimizerKernels.MomentumSgd(
                    settings,
                    gradient,
                    Samples,
                    ClipScale,
                    weights.Span,
                    velocity.Span,
                    weights.Span,
                    velocity.Span,
                    _teams[length % 3]
                );
                for (var i = 0; i < length; i++)
                {
                    var g = (gradient[i] / (double)Samples * ClipScale) + (decay * w[i]);
                    v[i] = (momentum * v[i]) + g;
                    w[i] -= settings.LearningRate * (nesterov ? g + (momentum * v[i]) : v[i]);
                }
            }

            AssertClose(w, weights);
            if (momentum != 0)
                AssertClose(v, velocity);
        }
    }

    [Theory]
    [InlineData(0.0, false)]
    [InlineData(0.01, false)]
    [InlineData(0.01, true)]
    public void Adam_follows_torch_for_every_length(double decay, bool decoupled)
    {
        var settings = new AdamSettings(0.01f, 0.9, 0.999, 1e-8, decay, decoupled);
        for (var length = 0; length <= 256; length++)
        {
            var weights = new GuardedBuffer(Oracle.Values(length, 1));
            GuardedBuffer first = new(new float[length]),
                second = new(new float[length]);
            double[] w = [.. weights.Span.ToArray()],
                m = new double[length],
                v = new double[length];
            for (var step = 1; step <= Steps; step++)
            {
                var gradient = Oracle.Values(length, 100 + (uint)step);
                OptimizerKernels.Adam(
                    settings,
                    step,
                    gradient,
                    Samples,
                    ClipScale,
                    weights.Span,
                    first.Span,
                    second.Span,
                    weights.Span,
                    first.Span,
                    second.Span,
                    _teams[length % 3]
                );
                for (var i = 0; i < length; i++)
                    AdamOracle(settings, step, gradient[i] / (double)Samples * ClipScale, ref w[i], ref m[i], ref v[i]);
            }

            AssertClose(w, weights);
            AssertClose(m, first);
            AssertClose(v, second);
        }
    }

    [Fact]
    public void The_spare_state_and_the_state_in_place_get_the_same_bits_from_any_number_of_threads()
    {
        const int length = 50_001; // enough elements to be shared out
        var gradient = Oracle.Values(length, 1);
        var adam = new AdamSettings(0.01f, 0.9, 0.999, 1e-8, 0.01, true);
        var sgd = new SgdSettings(0.1f, 0.9f, true, 0.01f);
        float[] weights = Oracle.Values(length, 2),
            first = Oracle.Values(length, 3),
            second = [.. Oracle.Values(length, 4).Select(MathF.Abs)];
        var results = new List<float[]>();
        foreach (var team in _teams.Append(null))
        {
            float[] w = new float[length],
                m = new float[length],
                v = new float[length];
            OptimizerKernels.Adam(adam, 7, gradient, Samples, 1, weights, first, second, w, m, v, team);
            OptimizerKernels.MomentumSgd(sgd, gradient, Samples, 1, w, m, w, m, team);
            results.Add([.. w, .. m, .. v]);
        }

        OptimizerKernels.Adam(adam, 7, gradient, Samples, 1, weights, first, second, weights, first, second, null);
        OptimizerKernels.MomentumSgd(sgd, gradient, Samples, 1, weights, first, weights, first, null);
        results.Add([.. weights, .. first, .. second]);
        Assert.All(results, result => BitAssert.Equal(results[0], result));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)] // cannot be stored past the caches
    public void States_larger_than_the_caches_get_the_same_bits_as_their_pieces(int misalignment)
    {
        const int length = ((16 << 20) / 5) + 21; // just over 64 MiB in five vectors
        const int guard = 16;
        float[] gradient = Oracle.Values(length, 1),
            weights = Oracle.Values(length, 2),
            first = Oracle.Values(length, 3),
            second = new float[length];
        var sgd = new SgdSettings(0.1f, 0.9f, true, 0.01f);
        var adam = new AdamSettings(0.01f, 0.9, 0.999, 1e-8, 0.01, true);
        AlignedBuffer[] next = [.. Enumerable.Range(0, 3).Select(_ => new AlignedBuffer(length + misalignment + guard))];
        float[][] expected = [new float[length], new float[length], new float[length]];

        OptimizerKernels.MomentumSgd(sgd, gradient, Samples, 1, weights, first, Next(0), Next(1), _teams[1]);
        InPieces(piece =>
            OptimizerKernels.MomentumSgd(
                sgd,
                gradient.AsSpan(piece),
                Samples,
                1,
                weights.AsSpan(piece),
                first.AsSpan(piece),
                expected[0].AsSpan(piece),
                expected[1].AsSpan(piece),
                null
            )
        );
        BitAssert.Equal(expected[0], Next(0), "weights");
        BitAssert.Equal(expected[1], Next(1), "velocity");

        OptimizerKernels.Adam(adam, 3, gradient, Samples, 1, weights, first, second, Next(0), Next(1), Next(2), _teams[2]);
        InPieces(piece =>
            OptimizerKernels.Adam(
                adam,
                3,
                gradient.AsSpan(piece),
                Samples,
                1,
                weights.AsSpan(piece),
                first.AsSpan(piece),
                second.AsSpan(piece),
                expected[0].AsSpan(piece),
                expected[1].AsSpan(piece),
                expected[2].AsSpan(piece),
                null
            )
        );
        Assert.All(Enumerable.Range(0, 3), vector => BitAssert.Equal(expected[vector], Next(vector), $"vector {vector}"));

        Assert.All(next, vector => Assert.Equal(-1, vector.Span[^guard..].IndexOfAnyExcept(0)));

        Span<float> Next(int vector) => next[vector].Span[misalignment..^guard];

        static void InPieces(Action<Range> update)
        {
            for (var start = 0; start < length; start += 1 << 20)
                update(start..Math.Min(length, start + (1 << 20)));
        }
    }

    [Fact]
    public void Plain_descent_needs_no_velocity()
    {
        float[] weights = [1, 2];
        OptimizerKernels.MomentumSgd(new SgdSettings(0.5f, 0, false, 0), [2, 4], 2, 1, weights, [], weights, [], null);
        BitAssert.Equal([0.5f, 1], weights);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var sgd = new SgdSettings(0.1f, 0.9f, false, 0);
        var adam = new AdamSettings(0.1f, 0.9, 0.999, 1e-8, 0, false);
        float[] two = new float[2],
            three = new float[3];
        Assert.Throws<ArgumentException>(() => OptimizerKernels.MomentumSgd(sgd, two, 1, 1, two, three, two, two, null));
        Assert.Throws<ArgumentException>(() => OptimizerKernels.MomentumSgd(sgd, two, 1, 1, two, two, three, two, null));
        Assert.Throws<ArgumentOutOfRangeException>("samples", () => OptimizerKernels.MomentumSgd(sgd, two, 0, 1, two, two, two, two, null));
        Assert.Throws<ArgumentException>(() => OptimizerKernels.Adam(adam, 1, two, 1, 1, two, two, two, two, two, three, null));
        Assert.Throws<ArgumentOutOfRangeException>("step", () =>
            OptimizerKernels.Adam(adam, 0, two, 1, 1, two, two, two, two, two, two, null)
        );
    }

    private static void AdamOracle(AdamSettings settings, int step, double gradient, ref double w, ref double m, ref double v)
    {
        var g = settings.Decoupled ? gradient : gradient + (settings.WeightDecay * w);
        if (settings.Decoupled)
            w *= 1 - (settings.LearningRate * settings.WeightDecay);
        m = (settings.Beta1 * m) + ((1 - settings.Beta1) * g);
        v = (settings.Beta2 * v) + ((1 - settings.Beta2) * g * g);
        var denominator = (Math.Sqrt(v) / Math.Sqrt(1 - Math.Pow(settings.Beta2, step))) + settings.Epsilon;
        w -= settings.LearningRate / (1 - Math.Pow(settings.Beta1, step)) * m / denominator;
    }

    private static void AssertClose(double[] expected, GuardedBuffer actual)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual.Span[i], 1e-5 * Math.Max(Math.Abs(expected[i]), 0.05));
        actual.AssertGuards();
    }
}
