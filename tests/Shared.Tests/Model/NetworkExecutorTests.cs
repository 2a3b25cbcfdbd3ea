using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class NetworkExecutorTests : IDisposable
{
    private const int Microbatch = 7;
    private static readonly Pass Step = Pass.OfStep(seed: 3, step: 1, firstSample: 0);

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData("relu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    public void ThreadsDoNotChangeABit(string activation)
    {
        SmallProblem problem = new(SmallProblem.Layers(activation, 33, 20), features: 17, classes: 9, rows: 100);
        var (expected, gradient) = problem.Run(Microbatch, _team);
        foreach (var threads in new[] { 1, 3, 5 })
        {
            using ComputeTeam team = new(threads);
            var (sums, other) = problem.Run(Microbatch, team);
            Assert.Equal(expected, sums);
            BitAssert.Equal(gradient, other, $"{threads} threads");
        }
    }

    [Theory]
    [InlineData(56, 4)] // eight microbatches as 4 + 4
    [InlineData(56, 2)]
    [InlineData(56, 1)]
    [InlineData(100, 8)] // fifteen, the last of two rows
    [InlineData(100, 1)]
    [InlineData(36, 2)] // six, the last of one row: 2 + 2 + 2
    [InlineData(5, 1)] // a single short one
    public void ABatchInBlocksThatTheTreeMergesHasTheSameBits(int rows, int blockMicrobatches)
    {
        SmallProblem problem = new(SmallProblem.Layers("relu", 33, 20), features: 17, classes: 9, rows);
        var (expected, gradient) = problem.Run(Microbatch, _team);
        var (sums, merged) = problem.RunInBlocks(Microbatch, blockMicrobatches, _team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, merged, $"{rows} rows in blocks of {blockMicrobatches} microbatches");
    }

    /// <summary>
    /// The reference's losses of all labels are those of the label itself and, with the share of the smoothing, their mean over all
    /// classes.
    /// </summary>
    [Fact]
    public void SmoothedLabelsChangeTheTrainingLossAndTheGradientButNotTheEvaluation()
    {
        const float smoothing = 0.25f;
        SmallProblem problem = new(SmallProblem.Layers("tanh", 6), features: 5, classes: 4, rows: 9);
        NetworkExecutor executor = new(problem.Network, new Classification(4, smoothing), Microbatch, 9, _team);
        executor.BindWeights(problem.Weights);
        var gradient = new float[problem.Network.Layout.Length];
        var loss = executor.ForwardBackward(problem.Inputs, problem.Labels, Step, gradient).Loss;
        Assert.Equal(problem.Run(Microbatch, _team).Sums.Loss, executor.Forward(problem.Inputs, problem.Labels).Loss);

        ReferenceNetwork reference = new(problem.Spec, new SampleShape(1, 1, 5), 4, Microbatch, training: true);
        double[] weights = Array.ConvertAll(problem.Weights, weight => (double)weight),
            inputs = Array.ConvertAll(problem.Inputs, input => (double)input);
        (double Weight, int[] Labels)[] targets =
        [
            (1 - smoothing, problem.Labels),
            .. Enumerable.Range(0, 4).Select(label => (smoothing / 4.0, Enumerable.Repeat(label, 9).ToArray())),
        ];
        Assert.Equal(targets.Sum(target => target.Weight * reference.Loss(weights, inputs, target.Labels)), loss, 1e-4);
        double[][] gradients = [.. targets.Select(target => reference.Gradient(weights, inputs, target.Labels))];
        for (var i = 0; i < gradient.Length; i++)
            Assert.Equal(targets.Zip(gradients, (target, direction) => target.Weight * direction[i]).Sum(), gradient[i], 1e-4);
    }

    [Fact]
    public void ForwardGivesTheSumsOfForwardBackward()
    {
        SmallProblem problem = new(SmallProblem.Layers("tanh", 33), features: 17, classes: 9, rows: 100);
        var executor = Bound(problem, maximumRows: 100);
        Assert.Equal(problem.Run(Microbatch, _team).Sums, executor.Forward(problem.Inputs, problem.Labels));
    }

    [Fact]
    public void LogitsAgreeWithDoublePrecision()
    {
        SmallProblem problem = new(SmallProblem.Layers("sigmoid", 33), features: 17, classes: 9, rows: 5);
        var logits = new float[5 * 9];
        Bound(problem, maximumRows: 8).Outputs(problem.Inputs, logits);
        ReferenceNetwork reference = new(problem.Spec, new SampleShape(1, 1, 17), classes: 9, Microbatch, training: false);
        var expected = reference.Logits(
            Array.ConvertAll(problem.Weights, weight => (double)weight),
            Array.ConvertAll(problem.Inputs, value => (double)value)
        );
        for (var i = 0; i < logits.Length; i++)
            Assert.Equal(expected[i / 9][i % 9], logits[i], 1e-5);
    }

    [Fact]
    public void CallsOfFewerRowsAfterLargerOnesSeeNothingOfThem()
    {
        SmallProblem problem = new(SmallProblem.Layers("relu", 33), features: 17, classes: 9, rows: 100);
        var executor = Bound(problem, maximumRows: 100);
        var gradient = new float[problem.Network.Layout.Length];
        executor.ForwardBackward(problem.Inputs, problem.Labels, Step, gradient);
        var sums = executor.ForwardBackward(problem.Rows(0, 3), problem.Labels.AsSpan(0, 3), Step, gradient);
        var (expected, fresh) = problem.Run(Microbatch, _team, 0, 3);
        Assert.Equal(expected, sums);
        BitAssert.Equal(fresh, gradient);
    }

    [Theory]
    [InlineData(0)] // all logits alike: the loss is log(classes) for any label
    [InlineData(1e30f)]
    [InlineData(-1e30f)]
    public void ExtremeLogitsGiveFiniteLossesAndGradients(float lastBias)
    {
        SmallProblem problem = new("", features: 4, classes: 3, rows: 10);
        Array.Clear(problem.Weights);
        problem.Weights[^1] = lastBias;
        var (sums, gradient) = problem.Run(Microbatch, _team);
        Assert.True(float.IsFinite(sums.Loss));
        Assert.All(gradient, element => Assert.True(float.IsFinite(element)));
        if (lastBias == 0)
            Assert.Equal(10 * Math.Log(3), sums.Loss, 1e-4);
        Assert.Equal(0, gradient[^3..].Sum(), 1e-4); // softmax and one-hot both add up to 1
    }

    [Fact]
    public void NonFiniteInputsReachTheLoss()
    {
        SmallProblem problem = new(SmallProblem.Layers("relu", 5), features: 4, classes: 3, rows: 10);
        problem.Inputs[7] = float.NaN;
        Assert.False(float.IsFinite(problem.Run(Microbatch, _team).Sums.Loss));
    }

    [Fact]
    public void AWarmedStepAllocatesNothing()
    {
        SmallProblem problem = new(SmallProblem.Layers("relu", 33, 20), features: 17, classes: 9, rows: 100);
        var executor = Bound(problem, maximumRows: 100);
        var gradient = new float[problem.Network.Layout.Length];
        Warmed();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Warmed();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Warmed()
        {
            executor.BindWeights(problem.Weights);
            executor.ForwardBackward(problem.Inputs, problem.Labels, Step, gradient);
            executor.Forward(problem.Inputs, problem.Labels);
        }
    }

    [Fact]
    public void CallersMistakesAreArgumentErrors()
    {
        SmallProblem problem = new("", features: 4, classes: 3, rows: 10);
        NetworkExecutor executor = new(problem.Network, problem.Objective, Microbatch, maximumRows: 9, _team);
        Assert.Throws<InvalidOperationException>(() => executor.Forward(problem.Rows(0, 2), problem.Labels.AsSpan(0, 2)));
        Assert.Throws<ArgumentException>(() => executor.BindWeights(new float[3]));
        executor.BindWeights(problem.Weights);
        Assert.Throws<ArgumentException>(() => executor.Forward([], []));
        Assert.Throws<ArgumentException>(() => executor.Forward(problem.Inputs, problem.Labels)); // ten rows
        Assert.Throws<ArgumentException>(() => executor.Forward(problem.Rows(0, 3), problem.Labels.AsSpan(0, 2)));
        Assert.Throws<ArgumentException>(() =>
            executor.ForwardBackward(problem.Rows(0, 2), problem.Labels.AsSpan(0, 2), Step, new float[3])
        );
        Assert.Throws<ArgumentException>(() =>
            executor.ForwardBackward(
                problem.Rows(0, 2),
                problem.Labels.AsSpan(0, 2),
                Pass.Evaluation,
                new float[problem.Network.Layout.Length]
            )
        );
        Assert.Throws<ArgumentException>(() => executor.Outputs(problem.Rows(0, 2), new float[7]));
        Assert.Throws<ArgumentOutOfRangeException>(() => executor.Forward(problem.Rows(0, 2), [0, 3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetworkExecutor(problem.Network, problem.Objective, 0, 9, _team));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetworkExecutor(problem.Network, problem.Objective, 7, 0, _team));
        Assert.Throws<ArgumentException>(() => new NetworkExecutor(problem.Network, new Classification(4), 7, 9, _team));
    }

    [Fact]
    public void ABatchWhoseActivationsFitNoArrayIsRefused()
    {
        Network network = new(ModelSpec.Parse("mlp:65536"), new SampleShape(1, 1, 4), 10);
        Assert.Contains(
            "65536 samples of 65536 values do not fit",
            Assert.Throws<InputException>(() => new NetworkExecutor(network, new Classification(10), 32, 65536, _team)).Message
        );
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    public void AGradientTakenInTheProductOfTheLayerAfterHasTheSameBits(string function)
    {
        string layers = $$"""{"type":"dense","units":33},{"type":"{{function}}"}""",
            end = """{"type":"dense","units":13}""";
        SmallProblem fused = new($"{layers},{end}", new SampleShape(1, 1, 7), classes: 3, rows: 29);
        SmallProblem separate = new($$"""{{layers}},{"type":"dropout","rate":0},{{end}}""", new SampleShape(1, 1, 7), classes: 3, rows: 29);
        BitAssert.Equal(fused.Weights, separate.Weights);
        var (expected, gradient) = separate.Run(microbatch: 4, _team);
        var (sums, actual) = fused.Run(microbatch: 4, _team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, actual);
    }

    private NetworkExecutor Bound(SmallProblem problem, int maximumRows)
    {
        NetworkExecutor executor = new(problem.Network, problem.Objective, Microbatch, maximumRows, _team);
        executor.BindWeights(problem.Weights);
        return executor;
    }
}
