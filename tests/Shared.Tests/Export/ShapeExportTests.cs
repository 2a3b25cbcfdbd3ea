using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Export;

/// <summary>Layers take images for vectors and vectors for images, where their sizes allow it; so do the operators.</summary>
public sealed class ShapeExportTests
{
    private const int Rows = 5;

    [Theory]
    [InlineData("1x1x9", """{"type":"conv2d","filters":3,"kernel":[1,3]},{"type":"relu"},{"type":"maxpool","kernel":[1,2]}""")]
    [InlineData("1x1x9", """{"type":"conv2d","filters":1,"kernel":[1,3]},{"type":"batchnorm"},{"type":"layernorm"}""")]
    [InlineData("1x3x4", """{"type":"dense","units":12},{"type":"conv2d","filters":2,"kernel":1},{"type":"avgpool","kernel":[1,2]}""")]
    [InlineData("2x3x4", """{"type":"globalavgpool"},{"type":"layernorm"},{"type":"batchnorm"},{"type":"tanh"}""")]
    [InlineData("2x3x4", """{"type":"relu"},{"type":"flatten"},{"type":"globalavgpool"},{"type":"sigmoid"}""")]
    [InlineData("2x3x4", """{"type":"layernorm"},{"type":"batchnorm"},{"type":"leakyrelu"},{"type":"conv2d","filters":2,"kernel":2}""")]
    [InlineData(
        "2x3x4",
        """{"type":"residual","layers":[{"type":"conv2d","filters":1,"kernel":[3,1]}],"shortcut":[{"type":"dense","units":4}]},{"type":"gelu"}"""
    )]
    [InlineData("1x1x9", "")]
    public void Logits_agree(string shape, string layers)
    {
        int[] sizes = [.. shape.Split('x').Select(int.Parse)];
        var model = ModelOf(layers, new SampleShape(sizes[0], sizes[1], sizes[2]));
        var random = new System.Random(7);
        float[] inputs = [.. Enumerable.Range(0, Rows * model.InputShape.Length).Select(_ => (random.NextSingle() * 4) - 2)];
        using var exported = new ExportedModel(model);

        var logits = exported.Run(("input", Array.ConvertAll(inputs, input => (double)input))).Floats("logits");

        var expected = ModelPass
            .Outputs(model.Network, model.Objective, model.Weights, Rows, (first, values) =>
                inputs.AsSpan(first * model.InputShape.Length, values.Length).CopyTo(values)
            )
            .SelectMany(outputs => outputs.ToArray());
        Assert.All(expected.Zip(logits), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    /// <summary>A model whose running values and scales are not those that training begins with.</summary>
    private static TrainedModel ModelOf(string layers, SampleShape shape)
    {
        var json = $$"""{"layers":[{{layers}}]}""";
        var network = new Network(ModelSpec.FromJson(json, "the model"), shape, outputs: 3);
        var weights = new float[network.Layout.Length];
        network.InitializeWeights(seed: 3, weights);
        var random = new System.Random(5);
        foreach (ref var weight in weights.AsSpan())
            weight += random.NextSingle() / 2;
        return new TrainedModel(
            "the model",
            network,
            weights,
            new ModelDescription(json, shape, Preprocessing.None.ToJson(), ["a", "b", "c"])
        );
    }
}
