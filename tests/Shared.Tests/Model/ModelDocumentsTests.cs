using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>The examples, the schema and the mathematics that the project ships agree with the code.</summary>
public partial class ModelDocumentsTests
{
    public static TheoryData<string> Examples => [.. Resources.Names("examples/")];

    [Theory]
    [MemberData(nameof(Examples))]
    public void EveryExampleIsAModel(string name)
    {
        var shape = new SampleShape(1, 8, 8);
        var sample = Enumerable.Range(0, shape.Length).Select(value => (float)value).ToArray();
        var spec = ModelSpec.FromJson(Resources.Text(name), name).Fitted(shape, new ColumnSamples(sample, new float[shape.Length]));
        Assert.Equal(10, new Network(spec, shape, 10).OutputWidth);
    }

    [Fact]
    public void TheSchemaKnowsTheSameLayerTypes()
    {
        using var schema = JsonDocument.Parse(Resources.Text("docs/model.schema.json"));
        var types = schema
            .RootElement.GetProperty("$defs")
            .EnumerateObject()
            .Where(definition => definition.Value.TryGetProperty("properties", out _))
            .SelectMany(definition => TypesOf(definition.Value.GetProperty("properties").GetProperty("type")));
        Assert.Equal(LayerTypes.Names.Split(", ").Order(), types.Order());
    }

    [Fact]
    public void TheSchemaHasTheSameLimits()
    {
        using var schema = JsonDocument.Parse(Resources.Text("docs/model.schema.json"));
        var units = schema.RootElement.GetProperty("$defs").GetProperty("dense").GetProperty("properties").GetProperty("units");
        Assert.Equal(DenseSpec.MaximumUnits, units.GetProperty("maximum").GetInt32());
        var layers = schema.RootElement.GetProperty("properties").GetProperty("layers");
        Assert.Equal(ModelSpecReader.MaximumLayers, layers.GetProperty("maxItems").GetInt32());
    }

    [Fact]
    public void EveryMemberThatTheMathematicsNamesExists()
    {
        var types = typeof(Network).Assembly.GetTypes();
        string[] names = [.. MemberName().Matches(Resources.Text("docs/mathematics.md")).Select(match => match.Value).Distinct()];
        Assert.True(names.Length > 20, $"only {names.Length} names found");
        foreach (var name in names.Where(name => name != "Type.Member"))
        {
            var parts = name.Split('.');
            const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;
            Assert.True(types.Any(type => type.Name == parts[0] && type.GetMember(parts[1], all).Length > 0), $"{name} does not exist");
        }
    }

    private static IEnumerable<string> TypesOf(JsonElement type) =>
        type.TryGetProperty("const", out var one)
            ? [one.GetString()!]
            : type.GetProperty("enum").EnumerateArray().Select(name => name.GetString()!);

    [GeneratedRegex(@"\b[A-Z]\w+\.[A-Z]\w+\b")]
    private static partial Regex MemberName();
}
