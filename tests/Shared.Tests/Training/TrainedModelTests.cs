using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class TrainedModelTests
{
    private static readonly Dataset Data = Dataset.FromArrays(
        [.. Enumerable.Range(0, 300).Select(i => new[] { i % 20, (i / 20 * 10) + 3f })],
        [.. Enumerable.Range(0, 300).Select(i => i % 20 > i / 20 ? "right" : "left")]
    );

    private static readonly TrainedModel Model = new Trainer(Data, new() { Model = "mlp:17", Epochs = 20 }) { Threads = 1 }
        .Train()
        .Model;

    private static float[][] Samples => [.. Enumerable.Range(0, 700).Select(i => new[] { i % 23f, i % 131f })];

    [Fact]
    public void APredictionNamesTheMostProbableClassAndItsProbabilitiesAddUpToOne()
    {
        foreach (var prediction in Model.PredictAll(Samples))
        {
            Assert.Equal(2, prediction.Probabilities.Count);
            Assert.Equal(1, prediction.Probabilities.Sum(), 1e-6);
            Assert.Equal(Model.ClassNames[prediction.Probabilities[0] >= prediction.Probabilities[1] ? 0 : 1], prediction.Value);
        }
    }

    [Fact]
    public void ValuesAreScaledAsTheTrainingDataWas() =>
        Assert.Equal(
            ["right", "left"],
            Model
                .PredictAll([
                    [19, 3],
                    [0, 133],
                ])
                .Select(prediction => prediction.Value)
        );

    [Fact]
    public void ASampleIsPredictedInTheSameBitsWhateverIsBesideIt()
    {
        var together = Model.PredictAll(Samples);
        for (var index = 0; index < Samples.Length; index += 99)
            Assert.Equal(together[index].Probabilities, Model.Predict(Samples[index]).Probabilities);
    }

    [Fact]
    public void PredictionsDoNotDependOnTheThreads()
    {
        var wide = new Trainer(Data, new() { Model = "mlp:300,300", Steps = 1 }) { Threads = 1 }
            .Train()
            .Model;
        var many = wide.PredictAll(Samples); // enough work for all threads
        Assert.Equal(many[^1].Probabilities, wide.Predict(Samples[^1]).Probabilities); // little enough for one
    }

    [Fact]
    public void ASavedModelPredictsTheSame()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("distributed-model-").FullName, "model.safetensors");
        Model.Save(path);
        var loaded = TrainedModel.Load(path);
        Assert.Equal((Model.WeightsSha256, Model.InputShape), (loaded.WeightsSha256, loaded.InputShape));
        Assert.Equal(Model.ClassNames, loaded.ClassNames);
        Assert.Equal(Model.Predict(3, 33).Probabilities, loaded.Predict(3, 33).Probabilities);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void ASampleOfAnotherLengthIsTheCallersMistake() =>
        Assert.Contains(
            "a sample has 3 values",
            Assert.Throws<ArgumentException>(() => Model.Predict(1, 2, 3)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void NoSamplesHaveNoPredictions() => Assert.Empty(Model.PredictAll([]));
}
