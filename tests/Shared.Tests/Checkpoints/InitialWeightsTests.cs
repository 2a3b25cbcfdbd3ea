using Distributed.Checkpoints;
using Xunit;

namespace Distributed.Shared.Tests.Checkpoints;

public sealed class InitialWeightsTests : IDisposable
{
    private static readonly Dictionary<string, string> NoMetadata = [];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WeightsAreFoundByNameInAnyOrder()
    {
        var values = SmallLayout.Values(1);
        var path = Write(
            new SafeTensor("layers.0.bias", [3], values.AsMemory(6, 3)),
            new SafeTensor("layers.0.weight", [3, 2], values.AsMemory(0, 6))
        );
        Assert.Equal(values, InitialWeights.Load(path, SmallLayout.Layout));
    }

    [Fact]
    public void EveryMissingExtraAndMisshapenTensorIsNamed()
    {
        var path = Write(new SafeTensor("layers.0.weight", [2, 3], new float[6]), new SafeTensor("layers.1.bias", [1], new float[1]));
        var message = Assert.Throws<InputException>(() => InitialWeights.Load(path, SmallLayout.Layout)).Message;
        Assert.Equal(
            $"{path}: the weights do not fit the model: layers.0.weight is [2, 3], the model has [3, 2]; layers.0.bias is missing; layers.1.bias is not in the model",
            message
        );
    }

    [Fact]
    public void ACheckpointWillDo()
    {
        var store = new CheckpointStore(_folder.Path, new CheckpointFormat(SmallLayout.Layout, "config"));
        var path = store.Save(3, SmallLayout.Values(5), [("momentum_buffer", SmallLayout.Values(9))]);
        Assert.Equal(SmallLayout.Values(5), InitialWeights.Load(path, SmallLayout.Layout));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void WeightsThatAreNotFiniteAreRefused(float value)
    {
        var path = Write(
            new SafeTensor("layers.0.weight", [3, 2], new float[6]),
            new SafeTensor("layers.0.bias", [3], new[] { 0, value, 0 })
        );
        Assert.Contains(
            "tensor 'layers.0.bias' contains",
            Assert.Throws<InputException>(() => InitialWeights.Load(path, SmallLayout.Layout)).Message,
            StringComparison.Ordinal
        );
    }

    private string Write(params SafeTensor[] tensors)
    {
        var path = _folder.File("weights.safetensors");
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, tensors, NoMetadata));
        return path;
    }
}
