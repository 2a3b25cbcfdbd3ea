using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>Gradients against finite differences of a forward pass in double precision.</summary>
public sealed class GradientTests : IDisposable
{
    private readonly ComputeTeam _team = new(2);

    public static TheoryData<string, int, int, int, int> Problems =>
        new()
        {
            // layers, features, classes, rows, microbatch
            { SmallProblem.Layers("relu", 33), 17, 9, 100, 7 },
            { SmallProblem.Layers("tanh", 33), 17, 9, 100, 7 },
            { SmallProblem.Layers("sigmoid", 33), 17, 9, 100, 7 },
            { SmallProblem.Layers("relu", 13, 11, 5), 7, 3, 41, 8 },
            { SmallProblem.Layers("tanh", 13, 11, 5), 7, 3, 41, 8 },
            { SmallProblem.Layers("sigmoid", 13, 11, 5), 7, 3, 41, 8 },
            { SmallProblem.Layers("relu", 33), 17, 9, 1, 1 },
            { SmallProblem.Layers("tanh", 5), 3, 2, 6, 4 },
            { SmallProblem.Layers("relu", 1), 1, 2, 3, 1 },
            { "", 17, 9, 30, 4 }, // softmax regression
            // No function between, and the last layer is there.
            { """{"type":"dense","units":6},{"type":"dense","units":5}""", 4, 5, 20, 3 },
            // Functions alone.
            { """{"type":"tanh"},{"type":"relu"},{"type":"dense","units":6},{"type":"tanh"},{"type":"sigmoid"}""", 4, 3, 20, 3 },
        };

    public static TheoryData<string, string> Blocks =>
        new()
        {
            { """{"type":"flatten"},{"type":"dense","units":5},{"type":"tanh"}""", "2x3x4" },
            { """{"type":"dropout","rate":0.25},{"type":"dense","units":6},{"type":"dropout","rate":0.5},{"type":"tanh"}""", "1x1x5" },
            {
                """{"type":"conv2d","filters":3,"kernel":[2,3],"padding":[1,0]},{"type":"tanh"},{"type":"conv2d","filters":2,"kernel":3,"stride":2,"bias":false}""",
                "2x5x6"
            },
            {
                """{"type":"relu"},{"type":"conv2d","filters":4,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"flatten"},{"type":"dense","units":5}""",
                "1x4x5"
            },
            { """{"type":"conv2d","filters":3,"kernel":2},{"type":"tanh"},{"type":"globalavgpool"}""", "2x5x4" },
            // The pooling takes the gradient of relu.
            { """{"type":"conv2d","filters":3,"kernel":2},{"type":"relu"},{"type":"maxpool","kernel":2}""", "2x5x5" },
            {
                """{"type":"conv2d","filters":3,"kernel":2},{"type":"tanh"},{"type":"maxpool","kernel":3,"stride":1,"padding":1}""",
                "2x5x4"
            },
            {
                """{"type":"maxpool","kernel":[1,2],"stride":2},{"type":"conv2d","filters":3,"kernel":2},{"type":"avgpool","kernel":2,"stride":1,"padding":1}""",
                "2x4x6"
            },
            { """{"type":"dense","units":6},{"type":"batchnorm"},{"type":"relu"}""", "1x1x4" },
            {
                """{"type":"batchnorm","epsilon":0.1},{"type":"conv2d","filters":3,"kernel":2,"bias":false},{"type":"batchnorm"},{"type":"relu"}""",
                "2x4x3"
            },
            { """{"type":"conv2d","filters":4,"kernel":2},{"type":"globalavgpool"},{"type":"batchnorm"}""", "2x4x3" },
            { """{"type":"layernorm"},{"type":"dense","units":6},{"type":"layernorm","epsilon":0.01},{"type":"tanh"}""", "1x2x3" },
            { """{"type":"conv2d","filters":3,"kernel":2},{"type":"layernorm"},{"type":"conv2d","filters":2,"kernel":2}""", "2x4x4" },
            { // a block as residual networks have it
                    """
                    {"type":"conv2d","filters":3,"kernel":3,"padding":"same","bias":false},{"type":"batchnorm"},
                    {"type":"residual","layers":[{"type":"relu"},{"type":"conv2d","filters":4,"kernel":3,"stride":2,"padding":1},{"type":"batchnorm"}],
                    "shortcut":[{"type":"avgpool","kernel":2,"padding":1,"stride":2},{"type":"maxpool","kernel":3,"stride":1,"padding":1},{"type":"conv2d","filters":4,"kernel":1}]},
                    {"type":"relu"},{"type":"globalavgpool"}
                    """,
                "2x3x3"
            },
            { // planar and channels-last in turn, with a conversion on either branch
                    """
                    {"type":"conv2d","filters":4,"kernel":3,"padding":"same"},
                    {"type":"residual","layers":[{"type":"gelu"},{"type":"conv2d","filters":3,"kernel":3,"stride":2,"padding":1},{"type":"tanh"}],
                    "shortcut":[{"type":"conv2d","filters":3,"kernel":1,"stride":2,"bias":false}]},
                    {"type":"residual","layers":[{"type":"leakyrelu"}]},{"type":"conv2d","filters":2,"kernel":2}
                    """,
                "3x5x4"
            },
            {
                """{"type":"leakyrelu"},{"type":"dense","units":7},{"type":"leakyrelu","slope":0.3},{"type":"dense","units":5},{"type":"leakyrelu"}""",
                "1x1x5"
            },
            { """{"type":"gelu"},{"type":"dense","units":7},{"type":"gelu"},{"type":"dense","units":5},{"type":"gelu"}""", "1x1x5" },
            // Both orders of elements.
            { """{"type":"conv2d","filters":5,"kernel":3},{"type":"tanh"},{"type":"dense","units":4}""", "2x5x4" },
            {
                """
                    {"type":"conv2d","filters":4,"kernel":[1,3],"padding":"same","bias":false},{"type":"residual","layers":[
                      {"type":"conv2d","filters":6,"kernel":3,"stride":2,"padding":1},{"type":"sigmoid"},{"type":"conv2d","filters":6,"kernel":3,"padding":1}],
                    "shortcut":[{"type":"conv2d","filters":6,"kernel":1,"stride":2}]},{"type":"tanh"}
                    """,
                "1x5x6"
            },
            { """{"type":"residual","layers":[{"type":"dense","units":5},{"type":"tanh"}]}""", "1x1x5" }, // the first layer that is trained
            {
                """{"type":"dense","units":5},{"type":"residual","layers":[{"type":"dense","units":5},{"type":"tanh"}]},{"type":"relu"}""",
                "1x1x4"
            },
            {
                """
                    {"type":"tanh"},{"type":"residual","layers":[{"type":"tanh"},{"type":"dense","units":6}],
                    "shortcut":[{"type":"flatten"},{"type":"dropout","rate":0.5},{"type":"dense","units":6},{"type":"sigmoid"}]}
                    """,
                "2x2x2"
            },
            // Nothing inside is trained.
            { """{"type":"dense","units":4},{"type":"residual","layers":[{"type":"tanh"}],"shortcut":[{"type":"relu"}]}""", "1x1x4" },
            {
                """
                    {"type":"dense","units":5},{"type":"residual","layers":[
                      {"type":"residual","layers":[{"type":"dropout","rate":0.25},{"type":"dense","units":4},{"type":"tanh"}],"shortcut":[{"type":"dense","units":4}]},
                      {"type":"residual","layers":[{"type":"residual","layers":[{"type":"dense","units":4},{"type":"sigmoid"}]}]},
                      {"type":"dense","units":5}],
                    "shortcut":[{"type":"residual","layers":[{"type":"dropout","rate":0.5},{"type":"dense","units":5}]}]}
                    """,
                "1x1x4"
            },
        };

    public static TheoryData<string> Columns =>
        new()
        {
            """{"type":"embedding","dimensions":[3,2]},{"type":"dense","units":6},{"type":"tanh"}""",
            """{"type":"embedding","dimensions":[1,17]}""",
            """{"type":"piecewise","edges":[[-0.5,0,0.25,0.5],[-1,1]]},{"type":"embedding","dimensions":[2,2]},{"type":"dense","units":5},{"type":"relu"}""",
        };

    public void Dispose() => _team.Dispose();

    [Theory]
    [MemberData(nameof(Problems))]
    public void GradientsAgreeWithFiniteDifferences(string layers, int features, int classes, int rows, int microbatch) =>
        Check(layers, InputColumns.Of(new SampleShape(1, 1, features)), classes, rows, microbatch);

    [Theory]
    [MemberData(nameof(Blocks))]
    public void GradientsOfEveryKindOfLayerAgreeWithFiniteDifferences(string layers, string shape)
    {
        int[] sizes = [.. shape.Split('x').Select(int.Parse)];
        Check(layers, new SampleShape(sizes[0], sizes[1], sizes[2]), classes: 3, rows: 7, microbatch: 3);
    }

    [Theory]
    [MemberData(nameof(Columns))]
    public void GradientsBehindColumnsOfATableAgreeWithFiniteDifferences(string layers)
    {
        InputColumns columns = new(new SampleShape(1, 1, 4), [new CategoryColumn("a", 5), new CategoryColumn("b", 3)]);
        Check(layers, columns, classes: 3, rows: 17, microbatch: 3);
    }

    [Fact]
    public void ReluPassesNoGradientAtZero()
    {
        // All inputs are 0 and so are the first layer's biases: its outputs are exactly 0, where the derivative is taken as 0.
        SmallProblem problem = new(SmallProblem.Layers("relu", 5), features: 4, classes: 3, rows: 6);
        Array.Clear(problem.Inputs);
        var firstBias = problem.Network.Layout.Parameters[1];
        problem.Weights.AsSpan(firstBias.Offset, firstBias.Length).Clear();
        (_, var gradient) = problem.Run(microbatch: 2, _team);
        Assert.All(gradient[..(firstBias.Offset + firstBias.Length)], element => Assert.Equal(0, element));
        Assert.Contains(gradient[^3..], element => element != 0);
    }

    private void Check(string layers, InputColumns columns, int classes, int rows, int microbatch)
    {
        SmallProblem problem = new(layers, columns, classes, rows);
        var (sums, gradient) = problem.Run(microbatch, _team);

        ReferenceNetwork reference = new(problem.Spec, columns, classes, microbatch, training: true);
        var weights = Array.ConvertAll(problem.Weights, weight => (double)weight);
        var inputs = Array.ConvertAll(problem.Inputs, input => (double)input);
        Assert.Equal(reference.Loss(weights, inputs, problem.Labels), sums.Loss, 1e-5 * rows);
        var expected = reference.Gradient(weights, inputs, problem.Labels);
        var largest = expected.Max(Math.Abs);
        foreach (var parameter in problem.Network.Layout.Parameters.Where(parameter => parameter.RunningMomentum is null))
        {
            for (var i = parameter.Offset; i < parameter.Offset + parameter.Length; i++)
            {
                Assert.True(
                    Math.Abs(expected[i] - gradient[i]) <= 1e-5 * largest,
                    $"{parameter.Name}[{i - parameter.Offset}]: {gradient[i]}, expected {expected[i]}"
                );
            }
        }
    }
}
