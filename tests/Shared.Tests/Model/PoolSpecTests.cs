using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class PoolSpecTests
{
    [Theory]
    [InlineData("""{"type":"maxpool","kernel":2}""")]
    [InlineData("""{"type":"avgpool","kernel":[2,3],"stride":[1,2],"padding":[1,0]}""")]
    public void WhatIsWrittenReadsAsTheSame(string layer)
    {
        var spec = Read(layer);
        Assert.Equal(spec.Layers[0], ModelSpec.FromJson(spec.ToJson(), "test").Layers[0]);
    }

    [Fact]
    public void DefaultsAreWindowsSideBySideAndNoPadding() =>
        Assert.Equal(
            new PoolSpec(PoolKind.Max, new ConvExtent(2, 3), new ConvExtent(2, 3), new ConvExtent(0, 0)),
            Read("""{"type":"maxpool","kernel":[2,3]}""").Layers[0]
        );

    [Theory]
    [InlineData("", "'kernel' is missing")]
    [InlineData(",\"kernel\":0", "'kernel' is 0")]
    [InlineData(",\"kernel\":2,\"stride\":0", "'stride' is 0")]
    [InlineData(",\"kernel\":2,\"padding\":2", "'padding' is 2x2, but the kernel is 2x2: use a padding below the kernel")]
    [InlineData(",\"kernel\":[3,2],\"padding\":[1,2]", "'padding' is 1x2, but the kernel is 3x2")]
    [InlineData(",\"kernel\":2,\"ceil\":true", "'ceil' is not a property of maxpool")]
    public void BadPropertiesAreNamed(string properties, string expected)
    {
        var failure = Assert.Throws<InputException>(() => Read($$"""{"type":"maxpool"{{properties}}}"""));
        Assert.StartsWith("test: layers[0]: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("kind", () => new PoolSpec((PoolKind)2, ConvExtent.Square(2)));
        Assert.Throws<ArgumentOutOfRangeException>("kernel", () => new PoolSpec(PoolKind.Max, new ConvExtent(1, 0)));
        Assert.Throws<ArgumentOutOfRangeException>("stride", () => new PoolSpec(PoolKind.Max, ConvExtent.Square(2), new ConvExtent(1, 0)));
        Assert.Throws<ArgumentOutOfRangeException>("padding", () =>
            new PoolSpec(PoolKind.Max, ConvExtent.Square(2), null, ConvExtent.Square(2))
        );
    }

    [Fact]
    public void AWindowThatDoesNotFitIsNamedWithItsPlaceAndSizes()
    {
        var spec = Read("""{"type":"avgpool","kernel":2},{"type":"maxpool","kernel":[3,2],"padding":[0,1]}""");
        var failure = Assert.Throws<InputException>(() => new Network(spec, new SampleShape(3, 5, 8), 2));
        Assert.Equal("layers[1] (maxpool): a window of 3x2 does not fit into 3x2x4 padded by 0x1: use a smaller kernel", failure.Message);
    }

    [Fact]
    public void SizesAreTakenFromKernelStrideAndPadding()
    {
        var layer = new PoolSpec(PoolKind.Max, new ConvExtent(3, 2), new ConvExtent(2, 3), new ConvExtent(1, 0)).Resolve(
            new SampleShape(4, 7, 8)
        );
        Assert.Equal(new SampleShape(4, 4, 3), layer.Output);
        Assert.Equal("maxpool 3x2 / 2x3", layer.Description);
    }

    /// <summary>
    /// Dropout of nothing stands between the convolution and the pooling, so that the convolution has to take the gradient of its ReLU
    /// itself.
    /// </summary>
    [Fact]
    public void PoolingThatTakesTheGradientOfReluHasTheSameBits()
    {
        SampleShape shape = new(2, 6, 7);
        const string convolution = """{"type":"conv2d","filters":7,"kernel":2},{"type":"relu"}""",
            pooling = """{"type":"maxpool","kernel":2,"stride":1}""";
        using ComputeTeam team = new(2);
        var (expected, gradient) = new SmallProblem($$"""{{convolution}},{"type":"dropout","rate":0},{{pooling}}""", shape, 3, 5).Run(
            2,
            team
        );
        var (sums, actual) = new SmallProblem($"{convolution},{pooling}", shape, 3, 5).Run(2, team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, actual);
    }

    private static ModelSpec Read(string layers) => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
}
