using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class Conv2dSpecTests
{
    [Theory]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":3}""")]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":[3,5],"stride":2,"padding":[1,0],"bias":false}""")]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":[3,5],"padding":"same"}""")]
    public void WhatIsWrittenReadsAsTheSame(string layer)
    {
        var spec = Read(layer);
        Assert.Equal(spec.Layers[0], ModelSpec.FromJson(spec.ToJson(), "test").Layers[0]);
    }

    [Fact]
    public void DefaultsAreAStrideOfOneNoPaddingAndABias() =>
        Assert.Equal(
            new Conv2dSpec(8, new ConvExtent(3, 3), 1, new ConvExtent(0, 0), bias: true),
            Read("""{"type":"conv2d","filters":8,"kernel":3}""").Layers[0]
        );

    [Fact]
    public void SamePaddingIsHalfTheKernel() =>
        Assert.Equal(
            new ConvExtent(1, 2),
            ((Conv2dSpec)Read("""{"type":"conv2d","filters":8,"kernel":[3,5],"padding":"same"}""").Layers[0]).Padding
        );

    [Theory]
    [InlineData("\"kernel\":3", "'filters' is missing")]
    [InlineData("\"filters\":8", "'kernel' is missing")]
    [InlineData("\"filters\":8,\"kernel\":0", "'kernel' is 0: use a whole number from 1 to 1024")]
    [InlineData("\"filters\":8,\"kernel\":[3]", "'kernel' is [3]: use a whole number from 1 to 1024, or [rows, columns]")]
    [InlineData("\"filters\":8,\"kernel\":[3,2.5]", "'kernel' is [3,2.5]")]
    [InlineData("\"filters\":8,\"kernel\":[3,2000]", "'kernel' is [3,2000]")]
    [InlineData("\"filters\":8,\"kernel\":3,\"stride\":0", "'stride' is 0")]
    [InlineData("\"filters\":8,\"kernel\":3,\"padding\":-1", "'padding' is -1")]
    [InlineData("\"filters\":8,\"kernel\":3,\"padding\":\"valid\"", "'padding' is \"valid\": use \"same\"")]
    [InlineData("\"filters\":8,\"kernel\":4,\"padding\":\"same\"", "use an odd kernel")]
    [InlineData("\"filters\":8,\"kernel\":3,\"stride\":2,\"padding\":\"same\"", "a stride of 1")]
    [InlineData("\"filters\":8,\"kernel\":3,\"bias\":0", "'bias' is 0")]
    [InlineData("\"filters\":8,\"kernel\":3,\"dilation\":2", "'dilation' is not a property of conv2d")]
    public void BadPropertiesAreNamed(string properties, string expected)
    {
        var failure = Assert.Throws<InputException>(() => Read($$"""{"type":"conv2d",{{properties}}}"""));
        Assert.StartsWith("test: layers[0]: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("filters", () => new Conv2dSpec(0, ConvExtent.Square(3)));
        Assert.Throws<ArgumentOutOfRangeException>("kernel", () => new Conv2dSpec(1, new ConvExtent(1, 0)));
        Assert.Throws<ArgumentOutOfRangeException>("stride", () => new Conv2dSpec(1, ConvExtent.Square(3), stride: 0));
        Assert.Throws<ArgumentOutOfRangeException>("padding", () =>
            new Conv2dSpec(1, ConvExtent.Square(3), padding: new ConvExtent(0, -1))
        );
    }

    private static ModelSpec Read(string layer) => ModelSpec.FromJson($$"""{"layers":[{{layer}}]}""", "test");
}
