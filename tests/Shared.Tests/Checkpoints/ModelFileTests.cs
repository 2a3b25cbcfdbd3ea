using Distributed.Checkpoints;
using Xunit;

namespace Distributed.Shared.Tests.Checkpoints;

public sealed class ModelFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AModelAndWhatItSaysAboutItselfComeBack()
    {
        var description = new ModelDescription("{\"layers\":[]}", new SampleShape(1, 1, 2), "{}", ["setosa", "\"quoted\"", "ä"]);
        var path = _folder.File("model.safetensors");
        ModelFile.Save(path, SmallLayout.Layout, SmallLayout.Values(1), description);

        var read = ModelFile.Describe(path);
        Assert.Equal(description.ClassNames, read.ClassNames);
        Assert.Equal(description with { ClassNames = [] }, read with { ClassNames = [] });
        Assert.Equal(SmallLayout.Values(1), InitialWeights.Load(path, SmallLayout.Layout));
    }

    [Fact]
    public void TheDataSectionHashesToTheHashOfTheWeights()
    {
        var path = _folder.File("model.safetensors");
        ModelFile.Save(path, SmallLayout.Layout, SmallLayout.Values(1), new ModelDescription("{}", new SampleShape(1, 1, 2), "{}", []));
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(WeightsHash.Compute(SmallLayout.Values(1)), file.DataSha256());
    }

    [Fact]
    public void AFileOfAnotherProgramIsRefused()
    {
        var path = _folder.File("foreign.safetensors");
        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, [], new Dictionary<string, string>()));
        Assert.Contains(
            "not a model that was written by train",
            Assert.Throws<InputException>(() => ModelFile.Describe(path)).Message,
            StringComparison.Ordinal
        );
    }
}
