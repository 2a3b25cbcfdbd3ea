using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class SequencePlanTests : IDisposable
{
    private const int Rows = 23;
    private const int Microbatch = 6;
    private const int Classes = 3;

    private static readonly SampleShape Shape = new(2, 9, 8);

    private static readonly string[] Models =
    [
        // like cnn: the largest outputs are never kept
        """
            {"type":"conv2d","filters":5,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"maxpool","kernel":2},
            {"type":"conv2d","filters":7,"kernel":3},{"type":"relu"},{"type":"maxpool","kernel":2,"stride":1},{"type":"dense","units":4},{"type":"tanh"}
            """,
        // outputs that gradients are taken from
        """
            {"type":"conv2d","filters":5,"kernel":3},{"type":"tanh"},{"type":"avgpool","kernel":2},{"type":"leakyrelu"},
            {"type":"conv2d","filters":4,"kernel":2},{"type":"gelu"},{"type":"maxpool","kernel":2},{"type":"sigmoid"}
            """,
        // a layer that takes whole passes, and a sequence inside it
        """
            {"type":"conv2d","filters":4,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"conv2d","filters":4,"kernel":2},{"type":"batchnorm"},
            {"type":"residual","layers":[{"type":"conv2d","filters":4,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"conv2d","filters":4,"kernel":1}]},
            {"type":"maxpool","kernel":3}
            """,
        """{"type":"maxpool","kernel":2},{"type":"conv2d","filters":4,"kernel":2,"stride":2},{"type":"relu"},{"type":"flatten"},{"type":"dropout","rate":0.5}""",
    ];

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public static TheoryData<int, int> Cases
    {
        get
        {
            TheoryData<int, int> cases = [];
            foreach (var rows in (int[])[1, 2, 4, 6, 7, 18])
            {
                for (var model = 0; model < Models.Length; model++)
                    cases.Add(model, rows);
            }

            return cases;
        }
    }

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Theory]
    [MemberData(nameof(Cases))]
    public void RowBlocksOfAnySizeHaveTheBitsOfWholePasses(int model, int blockRows)
    {
        SmallProblem problem = new(Models[model], Shape, Classes, Rows);
        foreach (var team in _teams)
            AssertBitsOfOneThread(problem, blockRows, Microbatch, team);
    }

    /// <summary>
    /// One, two, four and eight microbatches a thread, one segment after the other, and a rest of fewer microbatches than threads.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void RowsSplitOverThreadsHaveTheBitsOfOneThread(int microbatch)
    {
        for (var model = 0; model < Models.Length; model++)
        {
            SmallProblem problem = new(Models[model], Shape, Classes, Rows);
            foreach (var team in _teams)
                AssertBitsOfOneThread(problem, blockRows: 3, microbatch, team);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void InsideAnotherTeamsChunkOneThreadTakesAllRows(int chunk)
    {
        SmallProblem problem = new(Models[0], Shape, Classes, Rows);
        using ComputeTeam other = new(4);
        other.RunObject(new InChunk(chunk, () => AssertBitsOfOneThread(problem, blockRows: 3, microbatch: 2, _teams[2])));
    }

    [Fact]
    public void AWarmedPassSplitOverThreadsAllocatesNothing()
    {
        SmallProblem problem = new(Models[0], Shape, Classes, Rows);
        var layers = problem.Network.Layers;
        foreach (var team in _teams)
        {
            SequenceExecutor executor = new(layers, new ExecutorOptions(Rows, Microbatch: 2, NeedsInputGradient: true, team));
            executor.BindWeights(problem.Weights);
            float[] gradient = new float[problem.Weights.Length],
                inputGradient = new float[problem.Inputs.Length];
            AllocationAssert.NothingOnceWarm(
                () =>
                {
                    var pass = Pass.OfStep(seed: 3, step: 1, firstSample: 0);
                    var output = executor.Forward(problem.Inputs, Rows, pass);
                    executor.Backward(
                        new BackwardPass
                        {
                            Input = problem.Inputs,
                            Rows = Rows,
                            OutputGradient = output,
                            InputGradient = inputGradient,
                            ParameterGradient = gradient,
                            Pass = pass,
                        }
                    );
                },
                team
            );
        }
    }

    [Theory]
    [InlineData(0, 128, 32, 1, 1, 128)] // one thread: nothing to split
    [InlineData(0, 32, 32, 2, 1, 32)] // one microbatch: shared
    [InlineData(0, 128, 32, 2, 2, 64)]
    [InlineData(0, 100, 32, 2, 2, 64)] // the last microbatch is short
    [InlineData(0, 224, 32, 2, 2, 64)] // seven: two and two,
    [InlineData(128, 224, 32, 2, 2, 32)] // one and one,
    [InlineData(192, 224, 32, 2, 1, 32)] // and one by both
    [InlineData(0, 512, 32, 3, 3, 128)]
    [InlineData(0, int.MaxValue, 1 << 30, 2, 2, 1 << 30)]
    public void ThreadsTakeAsManyMicrobatchesAsCanBeSplitEvenly(
        int row,
        int rows,
        int microbatch,
        int threads,
        int splitOver,
        int rowsPerThread
    )
    {
        var segment = SequencePlan.NextSegment(row, rows, microbatch, threads);
        Assert.Equal((row, splitOver, rowsPerThread), (segment.FirstRow, segment.Threads, segment.RowsPerThread));
        Assert.Equal(segment.EndRow, segment.FirstRow + Enumerable.Range(0, splitOver).Sum(thread => segment.RowsOf(thread).Rows));
        Assert.All(Enumerable.Range(0, splitOver), thread => Assert.Equal(row + (thread * rowsPerThread), segment.RowsOf(thread).FirstRow));
    }

    [Fact]
    public void ABlockedLayerReportsItsGradientOnlyWhenThePassIsDone()
    {
        SmallProblem problem = new(Models[0], Shape, Classes, Rows);
        (_, var expected, _) = Run(problem, blockRows: 4, Microbatch, _teams[0], training: true);
        foreach (var team in _teams)
        {
            List<(int Offset, float[] Gradient)> told = [];
            Run(problem, blockRows: 4, Microbatch, team, training: true, (offset, gradient) =>
                told.Add((offset, gradient.AsSpan(offset).ToArray()))
            );
            Assert.Equal(0, told[^1].Offset);
            Assert.Equal(4, told.Select(report => report.Offset).Distinct().Count());
            Assert.All(told, report =>
                BitAssert.Equal(expected.AsSpan(report.Offset).ToArray(), report.Gradient, $"from {report.Offset}, {team.Threads} threads")
            );
        }
    }

    [Fact]
    public void OnlyWhatTheBackwardPassReadsIsKept()
    {
        SequencePlan plan = new(Preset("cnn").Layers);
        Assert.Equal(5, plan.BlockedLayers);
        // conv, pool, conv, pool, order, dense, dense
        Assert.Equal([false, true, false, false, true, true, true], Enumerable.Range(0, 7).Select(plan.KeepsOutput));
        Assert.Equal((25088, 3136), (plan.WidestInBlock, plan.WidestInPass));
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet8")] // its first layer alone
    public void NetworksThatGainNothingTakeWholePasses(string preset) =>
        Assert.Equal(0, new SequencePlan(Preset(preset).Layers).BlockedLayers);

    [Theory]
    [InlineData(32, 1, 8)]
    [InlineData(32, 2, 16)]
    [InlineData(32, 3, 16)] // 27 would leave 5
    [InlineData(7, 1, 7)]
    [InlineData(2, 1, 8)]
    [InlineData(1, 1, 9)]
    public void MicrobatchesAreCutIntoEqualBlocks(int microbatch, int threads, int rows) =>
        Assert.Equal(rows, new SequencePlan(Preset("cnn").Layers).RowsOfBlock(microbatch, threads));

    [Fact]
    public void ALargeImageIsABlockOfItsOwn()
    {
        Network network = new(ModelSpec.Parse("cnn"), new SampleShape(3, 512, 512), 10);
        Assert.Equal(1, new SequencePlan(network.Layers).RowsOfBlock(microbatch: 32, threads: 1));
    }

    private static Network Preset(string name) => new(ModelSpec.Parse(name), new SampleShape(1, 28, 28), 10);

    private void AssertBitsOfOneThread(SmallProblem problem, int blockRows, int microbatch, ComputeTeam team)
    {
        foreach (var training in (bool[])[true, false])
        {
            var (expectedOutput, expectedGradient, expectedInput) = Run(problem, Rows, microbatch, _teams[0], training);
            var (output, gradient, input) = Run(problem, blockRows, microbatch, team, training);
            var what = $"{team.Threads} threads, microbatches of {microbatch}, training: {training}";
            BitAssert.Equal(expectedOutput, output, $"output, {what}");
            BitAssert.Equal(expectedGradient, gradient, $"parameter gradient, {what}");
            BitAssert.Equal(expectedInput, input, $"input gradient, {what}");
        }
    }

    /// <summary>What comes out at all ends; outputs that are not kept hold the values of the last row block.</summary>
    private static (float[] Output, float[] Gradient, float[] InputGradient) Run(
        SmallProblem problem,
        int blockRows,
        int microbatch,
        ComputeTeam team,
        bool training,
        Action<int, float[]>? told = null
    )
    {
        var layers = problem.Network.Layers;
        var widest = layers.Take(new SequencePlan(layers).BlockedLayers).Select(layer => layer.OutputLength).DefaultIfEmpty(1).Max();
        SequencePlan plan = new(layers, Math.Max(1, blockRows * widest / team.Threads));
        SequenceExecutor executor = new(plan, layers, new ExecutorOptions(Rows, microbatch, NeedsInputGradient: true, team));
        var pass = training ? Pass.OfStep(seed: 3, step: 1, firstSample: 0) : Pass.Evaluation;
        executor.BindWeights(problem.Weights);
        var output = executor.Forward(problem.Inputs, Rows, pass).ToArray();
        float[] gradient = new float[problem.Weights.Length],
            inputGradient = new float[problem.Inputs.Length];
        if (training)
        {
            executor.Backward(
                new BackwardPass
                {
                    Input = problem.Inputs,
                    Rows = Rows,
                    OutputGradient = output.ToArray(),
                    InputGradient = inputGradient,
                    ParameterGradient = gradient,
                    Pass = pass,
                    Progress = told is null ? null : new Watch(offset => told(offset, gradient)),
                }
            );
        }

        return (output, gradient, inputGradient);
    }

    private sealed class InChunk(int acting, Action action) : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            if (chunk == acting)
                action();
        }
    }

    private sealed class Watch(Action<int> completed) : IBackwardProgress
    {
        public void CompletedFrom(int offset) => completed(offset);
    }
}
