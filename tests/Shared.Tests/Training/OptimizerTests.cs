using Distributed.Kernels.Threads;
using Distributed.Random;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class OptimizerTests : IDisposable
{
    private const int Length = 1003;
    private const int Steps = 12;
    private const float LearningRate = 0.05f;
    private const float ClipScale = 0.75f;
    private static readonly Range[] All = [Range.All];

    private readonly ComputeTeam _team = new(2);

    public static TheoryData<string, OptimizerOptions> Rules =>
        new()
        {
            {
                "sgd",
                new SgdOptions { Momentum = 0 }
            },
            {
                "sgd with decay",
                new SgdOptions { Momentum = 0, WeightDecay = 0.1 }
            },
            { "momentum", new SgdOptions() },
            {
                "momentum with decay",
                new SgdOptions { WeightDecay = 0.1 }
            },
            {
                "Nesterov",
                new SgdOptions { Nesterov = true, WeightDecay = 0.1 }
            },
            { "Adam", new AdamOptions() },
            {
                "Adam with decay",
                new AdamOptions { WeightDecay = 0.1 }
            },
            {
                "AdamW",
                new AdamWOptions { WeightDecay = 0.1 }
            },
            { "Adagrad", new AdagradOptions() },
            {
                "Adagrad of other constants",
                new AdagradOptions { WeightDecay = 0.1, Epsilon = 0.01 }
            },
            {
                "AdamW of other constants",
                new AdamWOptions
                {
                    Beta1 = 0.5,
                    Beta2 = 0.9,
                    Epsilon = 0.01,
                }
            },
        };

    public void Dispose() => _team.Dispose();

    [Theory]
    [MemberData(nameof(Rules))]
    public void StepsAgreeWithDoublePrecision(string name, OptimizerOptions options)
    {
        var state = Train(options, _team);
        DoubleOptimizer oracle = new(options, Random(0));
        for (var step = 1; step <= Steps; step++)
            oracle.Update(step, LearningRate, Array.ConvertAll(Random(step), sum => sum / (double)Samples(step) * ClipScale));
        Assert.Equal(Steps, state.Step);
        for (var i = 0; i < Length; i++)
        {
            Assert.True(
                Math.Abs(oracle.Weights[i] - state.Weights.Span[i]) < 5e-6,
                $"{name}: weight {i} is {state.Weights.Span[i]}, expected {oracle.Weights[i]}"
            );
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void ThreadsDoNotChangeABit(string name, OptimizerOptions options) =>
        Assert.True(Train(options, null).Weights.Span.SequenceEqual(Train(options, _team).Weights.Span), name);

    [Fact]
    public void TheStateThatIsReadStaysAsItWas()
    {
        var optimizer = new SgdOptions().CreateOptimizer();
        TrainingState current = Initial(optimizer),
            next = new(Length, 1);
        optimizer.Update(1, LearningRate, Samples(1), 1, Random(1), current, next, _team);
        Assert.Equal(Random(0), current.Weights.Span.ToArray());
        Assert.Equal(0, current.Step);
        Assert.Equal(1, next.Step);
    }

    [Theory]
    [InlineData("sgd", "momentum_buffer")]
    [InlineData("adam", "exp_avg exp_avg_sq")]
    [InlineData("adamw", "exp_avg exp_avg_sq")]
    [InlineData("adagrad", "sum")]
    public void MomentsHavePyTorchsNames(string name, string expected) =>
        Assert.Equal(expected, string.Join(' ', OptimizerOptions.Find(name)!.CreateOptimizer().MomentNames));

    [Fact]
    public void SgdWithoutMomentumKeepsNoMoment() =>
        Assert.Empty(
            new SgdOptions { Momentum = 0 }
                .CreateOptimizer()
                .MomentNames
        );

    [Fact]
    public void MisusedStatesAreArgumentErrors()
    {
        var optimizer = new SgdOptions().CreateOptimizer();
        TrainingState state = Initial(optimizer),
            next = new(Length, 1);
        Assert.Throws<ArgumentException>(() => optimizer.Update(2, LearningRate, 1, 1, Random(1), state, next, null)); // step 1 comes first
        Assert.Throws<ArgumentException>(() => optimizer.Update(1, LearningRate, 1, 1, Random(1), state, new(Length, 2), null));
        Assert.Throws<ArgumentException>(() => optimizer.Update(1, LearningRate, 1, 1, Random(1), state, new(Length + 1, 1), null));
        Assert.Throws<ArgumentException>(() => optimizer.Update(1, LearningRate, 1, 1, new float[3], state, next, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.Update(1, LearningRate, 0, 1, Random(1), state, next, null));
    }

    [Fact]
    public void AWarmedStepAllocatesNothing()
    {
        var optimizer = new AdamWOptions().CreateOptimizer();
        TrainingState one = Initial(optimizer),
            other = new(Length, 2);
        var gradient = Random(1);
        Step(1, one, other);
        Step(2, other, one);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Step(3, one, other);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Step(long step, TrainingState current, TrainingState next) =>
            optimizer.Update(step, LearningRate, 32, GradientClipping.Scale(gradient, All, 32, 0.1), gradient, current, next, _team);
    }

    private static TrainingState Train(OptimizerOptions options, ComputeTeam? team)
    {
        var optimizer = options.CreateOptimizer();
        TrainingState current = Initial(optimizer),
            next = new(Length, optimizer.MomentNames.Count);
        for (var step = 1; step <= Steps; step++)
        {
            optimizer.Update(step, LearningRate, Samples(step), ClipScale, Random(step), current, next, team);
            (current, next) = (next, current);
        }

        return current;
    }

    private static TrainingState Initial(Optimizer optimizer)
    {
        TrainingState state = new(Length, optimizer.MomentNames.Count);
        Random(0).CopyTo(state.Weights.Span);
        return state;
    }

    private static int Samples(int step) => 20 + step;

    /// <summary>Numbers in [-1, 1), different for each step.</summary>
    private static float[] Random(int step)
    {
        CounterRandom random = new(11, RandomPurpose.Augmentation, (ulong)step);
        return [.. Enumerable.Range(0, Length).Select(i => (2 * random.Uniform((ulong)i)) - 1)];
    }

    /// <summary>The algorithms as PyTorch's documentation prints them, in double precision.</summary>
    private sealed class DoubleOptimizer(OptimizerOptions options, float[] weights)
    {
        private readonly double[] _first = new double[weights.Length];
        private readonly double[] _second = new double[weights.Length];

        public double[] Weights { get; } = Array.ConvertAll(weights, weight => (double)weight);

        public void Update(int step, double rate, double[] gradient)
        {
            for (var i = 0; i < gradient.Length; i++)
            {
                Weights[i] = options switch
                {
                    SgdOptions sgd => Sgd(sgd, i, rate, gradient[i]),
                    AdagradOptions adagrad => Adagrad(adagrad, i, rate, gradient[i]),
                    _ => Adam(i, step, rate, gradient[i]),
                };
            }
        }

        private double Adagrad(AdagradOptions adagrad, int i, double rate, double gradient)
        {
            var g = gradient + (adagrad.WeightDecay * Weights[i]);
            _first[i] += g * g;
            return Weights[i] - (rate * g / (Math.Sqrt(_first[i]) + adagrad.Epsilon));
        }

        private double Sgd(SgdOptions sgd, int i, double rate, double gradient)
        {
            var g = gradient + (sgd.WeightDecay * Weights[i]);
            _first[i] = (sgd.Momentum * _first[i]) + g;
            return Weights[i] - (rate * (sgd.Nesterov ? g + (sgd.Momentum * _first[i]) : _first[i]));
        }

        private double Adam(int i, int step, double rate, double gradient)
        {
            var adam = (AdamOptions)options;
            var decoupled = adam is AdamWOptions;
            var g = decoupled ? gradient : gradient + (adam.WeightDecay * Weights[i]);
            var w = decoupled ? Weights[i] * (1 - (rate * adam.WeightDecay)) : Weights[i];
            _first[i] = (adam.Beta1 * _first[i]) + ((1 - adam.Beta1) * g);
            _second[i] = (adam.Beta2 * _second[i]) + ((1 - adam.Beta2) * g * g);
            var m = _first[i] / (1 - Math.Pow(adam.Beta1, step));
            var v = _second[i] / (1 - Math.Pow(adam.Beta2, step));
            return w - (rate * m / (Math.Sqrt(v) + adam.Epsilon));
        }
    }
}
