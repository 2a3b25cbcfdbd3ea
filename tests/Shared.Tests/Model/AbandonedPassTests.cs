using Distributed.Graphs;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>A view may end in the middle of a step: the pass then stops at the next layer, and the executor can be used again.</summary>
public sealed class AbandonedPassTests : IDisposable
{
    private const int Rows = 23;
    private const int Microbatch = 2;

    // Blocked convolutions, a whole-pass layer, a sequence inside a residual block, dense layers.
    private const string Mixed = """
        {"type":"conv2d","filters":4,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"maxpool","kernel":2},{"type":"batchnorm"},
        {"type":"residual","layers":[{"type":"conv2d","filters":4,"kernel":1},{"type":"relu"}]},{"type":"dense","units":5},{"type":"tanh"}
        """;

    private static readonly SampleShape Shape = new(2, 6, 6);

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoLayerIsRunForwardAfterTheOneThatWasRunning(bool inRowBlocks)
    {
        using CancellationTokenSource source = new();
        List<int> ran = [];
        var executor = Sequence(inRowBlocks, forward: Stop, backward: _ => { });

        Assert.Throws<OperationCanceledException>(() => executor.Forward(new float[3], 3, Pass.OfStep(1, 1, 0, source.Token)).Length);
        Assert.Equal([0, 1], ran);

        void Stop(int layer)
        {
            ran.Add(layer);
            if (layer == 1)
                source.Cancel();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoLayerIsRunBackwardAfterTheOneThatWasRunning(bool inRowBlocks)
    {
        using CancellationTokenSource source = new();
        List<int> ran = [];
        var executor = Sequence(inRowBlocks, forward: _ => { }, backward: Stop);
        var pass = Pass.OfStep(1, 1, 0, source.Token);
        executor.Forward(new float[3], 3, pass);

        Assert.Throws<OperationCanceledException>(() =>
            executor.Backward(
                new BackwardPass
                {
                    Input = new float[3],
                    Rows = 3,
                    OutputGradient = new float[3],
                    InputGradient = new float[3],
                    Pass = pass,
                }
            )
        );
        Assert.Equal([3, 2], ran);

        void Stop(int layer)
        {
            ran.Add(layer);
            if (layer == 2)
                source.Cancel();
        }
    }

    [Fact]
    public void ThePassAfterAnAbandonedOneHasTheBitsOfAnUndisturbedOne()
    {
        SmallProblem problem = new(Mixed, Shape, classes: 3, Rows);
        var parameters = problem.Network.Layout.Parameters;
        foreach (var team in _teams)
        {
            var (_, expected) = problem.Run(Microbatch, team);
            NetworkExecutor executor = new(problem.Network, problem.Objective, Microbatch, Rows, team);
            executor.BindWeights(problem.Weights);
            var gradient = new float[expected.Length];
            foreach (var last in parameters.Select(parameter => parameter.Offset).Append(expected.Length))
            {
                Assert.Throws<OperationCanceledException>(() => Abandon(executor, last, gradient));
                executor.ForwardBackward(problem.Inputs, problem.Labels, Pass.OfStep(seed: 3, step: 1, firstSample: 0), gradient);
                BitAssert.Equal(expected, gradient, $"abandoned at {last} with {team.Threads} threads");
            }
        }

        // Once the gradient is complete from there on; at the vector's length, before the pass has begun.
        void Abandon(NetworkExecutor executor, int offset, float[] gradient)
        {
            using CancellationTokenSource source = new();
            if (offset == gradient.Length)
                source.Cancel();
            var pass = Pass.OfStep(seed: 3, step: 1, firstSample: 0, source.Token);
            executor.ForwardBackward(problem.Inputs, problem.Labels, pass, gradient, new CancelAt(source, offset));
            source.Token.ThrowIfCancellationRequested(); // only the first layer's report comes too late to stop anything
        }
    }

    private SequenceExecutor Sequence(bool inRowBlocks, Action<int> forward, Action<int> backward)
    {
        Layer[] layers = [.. Enumerable.Range(0, 4).Select(index => new Probe(index, inRowBlocks, forward, backward))];
        return new SequenceExecutor(layers, new ExecutorOptions(MaximumRows: 3, Microbatch: 3, NeedsInputGradient: true, _teams[0]));
    }

    private sealed class CancelAt(CancellationTokenSource source, int offset) : IBackwardProgress
    {
        public void CompletedFrom(int completed)
        {
            if (completed <= offset)
                source.Cancel();
        }
    }

    private sealed class Probe(int index, bool inRowBlocks, Action<int> forward, Action<int> backward)
        : Layer(new SampleShape(1, 1, 1), new SampleShape(1, 1, 1))
    {
        internal override bool AllowsRowBlocks => inRowBlocks;

        internal override string Description => "probe";

        internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new Executor(this, index, forward, backward);

        internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
            throw new NotSupportedException();

        private sealed class Executor(Probe layer, int index, Action<int> forward, Action<int> backward) : LayerExecutor(layer)
        {
            internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) => forward(index);

            internal override void Backward(in BackwardPass pass) => backward(index);
        }
    }
}
