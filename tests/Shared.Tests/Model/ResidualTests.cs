using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class ResidualTests : IDisposable
{
    private const string Nested = """
        {"type":"dense","units":5},
        {"type":"residual","layers":[
          {"type":"residual","layers":[{"type":"dense","units":6}],"shortcut":[{"type":"tanh"},{"type":"dense","units":6}]},
          {"type":"relu"},
          {"type":"dense","units":7}],
        "shortcut":[{"type":"dense","units":7},{"type":"dropout","rate":0.5}]}
        """;

    private static readonly SampleShape Input = new(1, 1, 4);

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Fact]
    public void ParametersAreCountedDepthFirstTheLayersBeforeTheShortcut()
    {
        Network network = new(Spec(Nested), Input, 3);
        Assert.Equal(
            ["layers.0 5x4", "layers.1 6x5", "layers.2 6x5", "layers.3 7x6", "layers.4 7x5", "layers.5 3x7"],
            network
                .Layout.Parameters.Where(parameter => parameter.Shape.Count == 2)
                .Select(weight => $"{weight.Name[..^7]} {string.Join('x', weight.Shape)}")
        );
        Assert.Equal(
            "1x1x4 -> dense 5 -> residual(residual(dense 6 | tanh -> dense 6) -> relu -> dense 7 | dense 7 -> dropout 0.5) -> dense 3 (212 parameters)",
            network.Describe()
        );
    }

    [Fact]
    public void WithoutAShortcutTheInputItselfIsAdded()
    {
        SmallProblem plain = new("""{"type":"dense","units":4}""", features: 4, classes: 3, rows: 2);
        SmallProblem residual = new("""{"type":"residual","layers":[{"type":"dense","units":4}]}""", features: 4, classes: 3, rows: 2);
        for (var i = 0; i < 4; i++)
            plain.Weights[(i * 4) + i] = residual.Weights[(i * 4) + i] + 1; // W x + x = (W + 1) x
        float[] expected = Logits(plain),
            actual = Logits(residual);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5f);
    }

    [Theory]
    [InlineData(
        """{"type":"residual","layers":[{"type":"dense","units":6}]}""",
        "layers[0] (residual): its layers turn 1x1x4 into 1x1x6, but there is no 'shortcut' that turns 1x1x4 into the same"
    )]
    [InlineData(
        """{"type":"relu"},{"type":"residual","layers":[{"type":"dense","units":6}],"shortcut":[{"type":"dense","units":7}]}""",
        "layers[1] (residual): its layers turn 1x1x4 into 1x1x6, its shortcut into 1x1x7"
    )]
    [InlineData(
        """{"type":"residual","layers":[{"type":"relu"}],"shortcut":[{"type":"relu"},{"type":"residual","layers":[{"type":"dense","units":5}]}]}""",
        "layers[0] (residual): shortcut[1] (residual): its layers turn 1x1x4 into 1x1x5"
    )]
    public void BranchesOfDifferentShapesAreNamed(string layers, string expected) =>
        Assert.Contains(expected, Assert.Throws<InputException>(() => new Network(Spec(layers), Input, 3)).Message);

    [Theory]
    [InlineData("""{"type":"residual"}""", "layers[0]: 'layers' is missing: add a list of layers, at least one")]
    [InlineData("""{"type":"residual","layers":[]}""", "layers[0]: 'layers' is []: use a list of layers, at least one")]
    [InlineData("""{"type":"residual","layers":[{"type":"relu"}],"shortcut":[]}""", "layers[0]: 'shortcut' is []: use a list of layers")]
    [InlineData("""{"type":"residual","layers":[{"type":"relu"},{"type":"dense"}]}""", "layers[0].layers[1]: 'units' is missing")]
    [InlineData(
        """{"type":"residual","layers":[{"type":"relu"}],"shortcut":[{"type":"relu","x":1}]}""",
        "layers[0].shortcut[0]: 'x' is not a property of relu"
    )]
    public void WhatAFileGetsWrongInsideABlockIsNamed(string layers, string expected) =>
        Assert.Contains(expected, Assert.Throws<InputException>(() => Spec(layers)).Message);

    [Fact]
    public void BlocksNestToADepthThatAFileCannotExceed()
    {
        Assert.Equal(16, Depth(Spec(NestedBlocks(16)).Layers[0]));
        Assert.Contains("it lies in 16 other layers", Assert.Throws<InputException>(() => Spec(NestedBlocks(17))).Message);
        Assert.Contains("not JSON", Assert.Throws<InputException>(() => Spec(NestedBlocks(1000))).Message);

        static int Depth(LayerSpec layer) => layer is ResidualSpec residual ? 1 + Depth(residual.Layers[0]) : 0;
    }

    [Fact]
    public void LayersInsideCountTowardsTheLargestModel()
    {
        var layers = string.Join(',', Enumerable.Repeat("""{"type":"relu"}""", 1023));
        Assert.Equal(1023, ((ResidualSpec)Spec($$"""{"type":"residual","layers":[{{layers}}]}""").Layers[0]).Layers.Count);
        Assert.Contains(
            "1025 layers",
            Assert.Throws<InputException>(() => Spec($$"""{"type":"residual","layers":[{{layers}}]},{"type":"relu"}""")).Message
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ThreadsDoNotChangeABit(int threads)
    {
        SmallProblem problem = new(Nested, features: 4, classes: 3, rows: 5000); // enough to be shared out
        var (expected, gradient) = problem.Run(microbatch: 64, _team);
        using ComputeTeam team = new(threads);
        var (sums, other) = problem.Run(microbatch: 64, team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, other);
    }

    [Fact]
    public void AWarmedStepAllocatesNothing()
    {
        SmallProblem problem = new(Nested, features: 4, classes: 3, rows: 20);
        NetworkExecutor executor = new(problem.Network, problem.Objective, microbatch: 4, maximumRows: 20, _team);
        var gradient = new float[problem.Network.Layout.Length];
        AllocationAssert.NothingOnceWarm(() =>
        {
            executor.BindWeights(problem.Weights);
            executor.ForwardBackward(problem.Inputs, problem.Labels, Pass.OfStep(1, 2, 0), gradient);
            executor.Forward(problem.Inputs, problem.Labels);
        });
    }

    private static ModelSpec Spec(string layers) => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");

    private static string NestedBlocks(int depth) =>
        string.Concat(Enumerable.Repeat("""{"type":"residual","layers":[""", depth))
        + """{"type":"relu"}"""
        + string.Concat(Enumerable.Repeat("]}", depth));

    private float[] Logits(SmallProblem problem)
    {
        NetworkExecutor executor = new(problem.Network, problem.Objective, microbatch: 1, maximumRows: 2, _team);
        executor.BindWeights(problem.Weights);
        var logits = new float[2 * problem.Network.OutputWidth];
        executor.Outputs(problem.Inputs, logits);
        return logits;
    }
}
