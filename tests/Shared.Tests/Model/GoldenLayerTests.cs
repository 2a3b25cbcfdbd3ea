using System.Runtime.InteropServices;
using System.Text.Json;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>Single layers and the loss beside PyTorch's; tests/golden/make_golden.py wrote what PyTorch did.</summary>
public sealed class GoldenLayerTests : IDisposable
{
    private const int Rows = 5;
    private const float Tolerance = 3e-6f;

    private static readonly JsonElement[] Layers = Load("others"),
        Embeddings = Load("embedding"),
        Losses = Load("cross-entropy"),
        NumberLosses = Load("regression");

    private readonly ComputeTeam _team = new(2);

    public static TheoryData<int, string> LayerCases =>
        [.. Layers.Select((golden, index) => (index, golden.GetProperty("layer").GetProperty("type").GetString()!))];

    public static TheoryData<int> EmbeddingCases => [.. Enumerable.Range(0, Embeddings.Length)];

    public static TheoryData<int, string> NumberLossCases =>
        [.. NumberLosses.Select((golden, index) => (index, golden.GetProperty("loss").GetString()!))];

    public static TheoryData<int> LossCases => [.. Enumerable.Range(0, Losses.Length)];

    public void Dispose() => _team.Dispose();

    [Theory]
    [MemberData(nameof(LayerCases))]
    public void PassesAgreeWithPyTorch(int index, string type)
    {
        var golden = Layers[index];
        var sizes = golden.GetProperty("shape").Deserialize<int[]>()!;
        var layer = LayerTypes
            .Read(new LayerFields("golden", golden.GetProperty("layer")))
            .Resolve(new SampleShape(sizes[0], sizes[1], sizes[2]));
        var microbatch = golden.GetProperty("microbatch").GetInt32();
        var executor = layer.CreateExecutor(new ExecutorOptions(Rows, microbatch, NeedsInputGradient: true, _team));
        float[] input = Arranged(golden, "input", layer, layer.Input),
            outputGradient = Arranged(golden, "outputGradient", layer, layer.Output);
        float[] inputGradient = new float[input.Length],
            parameterGradient = new float[layer.ParameterLength],
            output = new float[outputGradient.Length];
        var pass = Pass.OfStep(seed: 1, step: 1, firstSample: 0);

        executor.BindWeights(Padded(Values(golden, "parameters"), layer.ParameterLength));
        executor.Forward(input, Rows, output, pass);
        AssertClose(Arranged(golden, "output", layer, layer.Output), output, $"output of {type}");
        executor.Backward(
            new BackwardPass
            {
                Input = input,
                Output = output,
                Rows = Rows,
                OutputGradient = outputGradient,
                InputGradient = inputGradient,
                ParameterGradient = parameterGradient,
                Pass = pass,
            }
        );
        AssertClose(Arranged(golden, "inputGradient", layer, layer.Input), inputGradient, "input gradient");
        AssertClose(Values(golden, "parameterGradient"), parameterGradient, "parameter gradient");
    }

    [Theory]
    [MemberData(nameof(EmbeddingCases))]
    public void EmbeddingsAgreeWithPyTorch(int index)
    {
        var golden = Embeddings[index];
        int[] sizes = golden.GetProperty("sizes").Deserialize<int[]>()!,
            dimensions = golden.GetProperty("dimensions").Deserialize<int[]>()!;
        SampleShape shape = new(1, 1, golden.GetProperty("numbers").GetInt32() + sizes.Length);
        InputColumns columns = new(shape, [.. sizes.Select((size, column) => new CategoryColumn($"{column}", size))]);
        var (layer, _) = new EmbeddingSpec(dimensions).Resolve(columns);
        float[] input = Values(golden, "input"),
            output = new float[Values(golden, "output").Length],
            gradient = new float[layer.ParameterLength];
        var rows = input.Length / shape.Length;
        ExecutorOptions options = new(rows, golden.GetProperty("microbatch").GetInt32(), NeedsInputGradient: false, _team);
        var executor = layer.CreateExecutor(options);
        var pass = Pass.OfStep(seed: 1, step: 1, firstSample: 0);
        executor.BindWeights(Values(golden, "parameters"));
        executor.Forward(input, rows, output, pass);
        Assert.Equal(Values(golden, "output"), output);
        executor.Backward(
            new BackwardPass
            {
                Input = input,
                Output = output,
                Rows = rows,
                OutputGradient = Values(golden, "outputGradient"),
                ParameterGradient = gradient,
                Pass = pass,
            }
        );
        AssertClose(Values(golden, "parameterGradient"), gradient, "parameter gradient");
    }

    [Theory]
    [MemberData(nameof(LossCases))]
    public void LossesAgreeWithPyTorch(int index)
    {
        var golden = Losses[index];
        float[] gradient = Values(golden, "logits"),
            expected = Values(golden, "losses"),
            losses = new float[expected.Length];
        var labels = golden.GetProperty("labels").Deserialize<int[]>()!;
        var smoothing = golden.GetProperty("labelSmoothing").GetSingle();
        SoftmaxCrossEntropy.ForwardBackward(gradient, labels, golden.GetProperty("classes").GetInt32(), losses, smoothing, _team);
        AssertClose(expected, losses, "losses");
        AssertClose(Values(golden, "gradient"), gradient, "gradient");
    }

    [Theory]
    [MemberData(nameof(NumberLossCases))]
    public void LossesOfNumbersAgreeWithPyTorch(int index, string loss)
    {
        var golden = NumberLosses[index];
        float[] outputs = Values(golden, "outputs"),
            targets = Values(golden, "targets"),
            expected = Values(golden, "losses");
        var width = golden.GetProperty("width").GetInt32();
        double[] ones = [.. Enumerable.Repeat(1.0, width)];
        var names = Enumerable.Range(0, width).Select(target => $"{target}");
        var objective = Objective.Create(
            new RegressionSpec(
                new NumericTargets([.. names], [.. ones.Select(_ => 0.0)], ones),
                Enum.Parse<RegressionLoss>(loss, ignoreCase: true),
                golden.GetProperty("delta").GetDouble()
            )
        );
        var floats = new float[objective.FloatSums * expected.Length];
        var terms = new SampleTerms(floats, expected.Length, new long[BatchSums.CountCount]);
        objective.Train(outputs, MemoryMarshal.Cast<float, int>(targets), terms, _team);
        AssertClose(expected, terms.Losses, "losses");
        AssertClose(Values(golden, "gradient"), outputs, "gradient");
    }

    private static JsonElement[] Load(string name) =>
        [.. JsonDocument.Parse(Resources.Text($"golden-layers/{name}.json")).RootElement.EnumerateArray()];

    private static float[] Values(JsonElement golden, string name) => golden.GetProperty(name).Deserialize<float[]>()!;

    /// <summary>Weight and bias, with any values in the places of running statistics: training must not read them.</summary>
    private static float[] Padded(float[] parameters, int length) =>
        [.. parameters, .. Enumerable.Repeat(float.NaN, length - parameters.Length)];

    /// <summary>PyTorch's values in the order that the layer takes.</summary>
    private float[] Arranged(JsonElement golden, string name, Layer layer, SampleShape shape)
    {
        float[] planar = Values(golden, name),
            values = [.. planar];
        if (layer.Order == ElementOrder.ChannelsLast)
            ChannelOrder.ToChannelsLast(planar, shape.Channels, shape.Height * shape.Width, values, _team);
        return values;
    }

    private static void AssertClose(float[] expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Select(Math.Abs).DefaultIfEmpty().Max();
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= Tolerance * scale,
                $"element {i} of the {what} is {actual[i]}, PyTorch has {expected[i]}"
            );
        }
    }
}
