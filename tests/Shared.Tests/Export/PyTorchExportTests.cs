using System.Text.Json;
using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Shared.Tests.Checkpoints;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Export;

/// <summary>Weights as safetensors beside a PyTorch module's own; tests/golden/make_golden.py wrote its state and what it made of inputs.</summary>
public sealed class PyTorchExportTests : IDisposable
{
    private const int Rows = 5;

    private static readonly JsonElement Golden = JsonDocument.Parse(Resources.Text("golden-layers/module.json")).RootElement;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_file_has_the_names_shapes_and_values_of_the_modules_state()
    {
        var path = _folder.File("model.safetensors");
        ModuleModel().Save(path);

        using var file = SafeTensorsFile.Open(path);
        var state = Golden.GetProperty("state").EnumerateArray().ToList();
        Assert.Equal(state.Select(NameOf).Order(StringComparer.Ordinal), file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(state, parameter =>
        {
            var tensor = file.Tensors[NameOf(parameter)];
            Assert.Equal(parameter.GetProperty("shape").Deserialize<long[]>(), tensor.Shape);
            var values = new float[tensor.Length];
            file.Read(tensor, values);
            Assert.Equal(Values(parameter, "values"), values);
        });
    }

    [Fact]
    public void The_model_that_was_saved_gives_the_modules_logits()
    {
        var path = _folder.File("model.safetensors");
        ModuleModel().Save(path);
        var model = TrainedModel.Load(path);
        var inputs = Values(Golden, "inputs");

        var logits = ModelPass
            .Outputs(model.Network, model.Objective, model.Weights, Rows, (first, values) =>
                inputs.AsSpan(first * model.InputShape.Length, values.Length).CopyTo(values)
            )
            .SelectMany(outputs => outputs.ToArray());

        Assert.All(Values(Golden, "logits").Zip(logits), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    /// <summary>The module's layers with its state.</summary>
    private static TrainedModel ModuleModel()
    {
        var sizes = Golden.GetProperty("shape").Deserialize<int[]>()!;
        SampleShape shape = new(sizes[0], sizes[1], sizes[2]);
        var json = $$"""{"layers":{{Golden.GetProperty("layers").GetRawText()}}}""";
        var network = new Network(ModelSpec.FromJson(json, "the model"), shape, Golden.GetProperty("classes").GetInt32());
        var state = Golden.GetProperty("state").EnumerateArray().ToDictionary(NameOf);
        float[] weights = [.. network.Layout.Parameters.SelectMany(parameter => Values(state[parameter.Name], "values"))];
        return new TrainedModel(
            "the model",
            network,
            weights,
            new ModelDescription(json, shape, Preprocessing.None.ToJson(), ["a", "b", "c"])
        );
    }

    private static string NameOf(JsonElement parameter) => parameter.GetProperty("name").GetString()!;

    private static float[] Values(JsonElement element, string name) => element.GetProperty(name).Deserialize<float[]>()!;
}
