using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Objectives;

public sealed class ObjectiveSpecTests
{
    private const string Numbers =
        """{"kind":"regression","targets":{"names":["a","b"],"means":[0.1,2],"deviations":[0.30000000000000004,1]},"loss":"huber","huberDelta":0.5}""";

    private const string Classes = """{"kind":"classification","classes":10,"labelSmoothing":0.1}""";

    private const string Weighted = """{"kind":"classification","classes":2,"labelSmoothing":0,"classWeights":[0.6,3],"hasWeights":true}""";

    [Theory]
    [InlineData(Numbers)]
    [InlineData(Classes)]
    [InlineData(Weighted)]
    public void Json_comes_back_as_it_was(string json) => Assert.Equal(json, ObjectiveSpec.FromJson(json, "test").ToJson());

    [Fact]
    public void Json_says_what_the_objective_is()
    {
        var numbers = Assert.IsType<RegressionSpec>(ObjectiveSpec.FromJson(Numbers, "test"));
        Assert.Equal((RegressionLoss.Huber, 0.5), (numbers.Loss, numbers.HuberDelta));
        Assert.Equal(["a", "b"], numbers.Targets.Names);
        Assert.Equal([0.1, 2], numbers.Targets.Means);
        Assert.Equal([0.1 + 0.2, 1], numbers.Targets.Deviations);
        Assert.Equal(new ClassificationSpec(10, 0.1), ObjectiveSpec.FromJson(Classes, "test"));
    }

    [Theory]
    [InlineData("regression", "ranking")]
    [InlineData("\"kind\":\"regression\",", "")]
    [InlineData("\"huber\"", "\"Huber\"")]
    [InlineData("\"huber\"", "2")]
    [InlineData("\"loss\":\"huber\",", "")]
    [InlineData("\"huberDelta\":0.5", "\"huberDelta\":0.5,\"delta\":1")]
    [InlineData("\"huberDelta\":0.5", "\"huberDelta\":\"0.5\"")]
    [InlineData("[\"a\",\"b\"]", "[\"a\",\"a\"]")]
    [InlineData("[\"a\",\"b\"]", "[\"a\"]")]
    [InlineData("[\"a\",\"b\"]", "[\"a\",null]")]
    [InlineData("[\"a\",\"b\"]", "null")]
    [InlineData("[0.1,2]", "[0.1,1e999]")]
    [InlineData(",1]}", ",0]}")]
    [InlineData("}", "")]
    public void What_is_no_objective_is_refused_in_one_line(string from, string to)
    {
        var changed = Numbers.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Numbers, changed);
        var refusal = Assert.Throws<InputException>(() => ObjectiveSpec.FromJson(changed, "model.safetensors"));
        Assert.StartsWith("model.safetensors: the objective '", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", refusal.Message, StringComparison.Ordinal);
    }
}
