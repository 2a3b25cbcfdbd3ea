using Distributed.Model;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>What a model file leaves open follows from the data that the model is to be trained on.</summary>
public class FittedModelTests
{
    private static readonly InputColumns Columns = new(new SampleShape(1, 1, 4), [new("colour", 5), new("size", 300)]);

    private static readonly ColumnSamples Samples = new([0, 7, 4, 299], [1, 7, 0, 0], [5, 7, 1, 1], [5, 7, 1, 0], [5, 7, 1, 0]);

    [Fact]
    public void AModelAsAPersonWritesItGetsEdgesAndDimensions() =>
        Assert.Equal(
            """{"layers":[{"type":"piecewise","edges":[[0,1,5],[7,8]]},{"type":"embedding","dimensions":[4,16]},{"type":"dense","units":3}]}""",
            Fitted("""{"type":"piecewise","bins":16},{"type":"embedding"},{"type":"dense","units":3}""")
        );

    [Theory]
    [InlineData("values", "[0,1,5]")]
    [InlineData("rows", "[0,5]")]
    public void EdgesAreQuantilesOfWhatTheModelAsksFor(string over, string edges) =>
        Assert.StartsWith(
            $$"""{"layers":[{"type":"piecewise","edges":[{{edges}},[7,8]]}""",
            Fitted($$"""{"type":"piecewise","bins":2,"over":"{{over}}"}""")
        );

    [Theory]
    [InlineData("""{"type":"dense","units":3}""", """{"type":"embedding","dimensions":[4,16]},{"type":"dense","units":3}""")]
    [InlineData(
        """{"type":"piecewise","bins":1},{"type":"dense","units":3}""",
        """{"type":"piecewise","edges":[[0,5],[7,8]]},{"type":"embedding","dimensions":[4,16]},{"type":"dense","units":3}"""
    )]
    [InlineData("", """{"type":"embedding","dimensions":[4,16]}""")]
    [InlineData("""{"type":"embedding","dimension":8}""", """{"type":"embedding","dimensions":[8,8]}""")]
    public void WhereThereAreCategoriesAnEmbeddingStandsBeforeLayersThatDoNotTakeThem(string layers, string expected)
    {
        var fitted = Fitted(layers);
        Assert.Equal($$"""{"layers":[{{expected}}]}""", fitted);
        _ = new Network(ModelSpec.FromJson(fitted, "test"), Columns, 3);
    }

    [Theory]
    [InlineData("""{"type":"piecewise","edges":[[0,1.5],[7,8]]},{"type":"embedding","dimensions":[4,6]},{"type":"dense","units":3}""")]
    public void WhatIsFittedStaysAsItIs(string layers) => Assert.Equal($$"""{"layers":[{{layers}}]}""", Fitted(layers));

    [Fact]
    public void AModelForNumbersAloneStaysAsItIs()
    {
        var spec = ModelSpec.Parse("resnet8");
        Assert.Equal(spec.Layers, spec.Fitted(new SampleShape(1, 8, 8), new ColumnSamples()).Layers);
    }

    private static string Fitted(string layers) =>
        ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test").Fitted(Columns, Samples).ToJson();
}
