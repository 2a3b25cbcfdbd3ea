using Distributed.Data;
using Distributed.Data.Named;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Export;

/// <summary>Models of images as ONNX: ONNX Runtime takes raw bytes and gives what the model gives.</summary>
public sealed class ImageExportTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("mlp")]
    [InlineData("cnn")]
    [InlineData("resnet8")]
    public void Logits_of_presets_agree_on_a_thousand_images_of_clothes(string model)
    {
        RequireFashionMnist();
        Agree(Trained("fashion-mnist", model, steps: 12), DataOf("fashion-mnist"), count: 1000);
    }

    [Fact]
    public void Logits_agree_behind_every_kind_of_layer_that_takes_images()
    {
        RequireFashionMnist();
        using var file = new ModelFolder(EveryLayer.OfImages);
        Agree(Trained("fashion-mnist", file.Path, steps: 12), DataOf("fashion-mnist"), count: 1000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Digits_go_in_from_0_to_16(int count) => Agree(Trained("digits", "cnn", steps: 20), DataOf("digits"), count);

    [Fact]
    public void One_session_takes_batches_of_any_size()
    {
        var model = Trained("digits", "mlp:32", steps: 20);
        var data = DataOf("digits");
        using var exported = new ExportedModel(model);
        var all = exported.Run(("input", Raw(data, 8))).Floats("logits");
        var one = exported.Run(("input", Raw(data, 1))).Floats("logits");
        var seven = exported.Run(("input", Raw(data, 8)[data.Shape.Length..])).Floats("logits");
        AssertClose([.. one, .. seven], all);
    }

    [Fact]
    public void Inputs_and_outputs_say_what_they_are()
    {
        var model = Trained("digits", "cnn", steps: 1);
        using var exported = new ExportedModel(model);
        Assert.Equal(["input"], exported.Inputs);
        Assert.Equal((typeof(byte), "-1,1,8,8"), (exported.TypeOf("input"), string.Join(',', exported.ShapeOf("input"))));
        Assert.Equal(["label", "probabilities", "logits"], exported.Outputs);
        Assert.Equal([-1], exported.ShapeOf("label"));
        Assert.Equal([-1, 10], exported.ShapeOf("probabilities"));
        Assert.Equal("distributed", exported.Producer);
        Assert.Equal("""["0","1","2","3","4","5","6","7","8","9"]""", exported.Metadata["classes"]);
        Assert.Equal(model.WeightsSha256, exported.Metadata["weightsSha256"]);
        Assert.Equal(DataOf("digits").Sha256, exported.Metadata["datasetSha256"]);
    }

    private static void Agree(TrainedModel model, Dataset data, int count)
    {
        using var exported = new ExportedModel(model);
        var results = exported.Run(("input", Raw(data, count)));
        var (logits, predictions) = (Outputs.Of(model, data.Test, count), Outputs.Predictions(model, data.Test, count));
        AssertClose(logits, results.Floats("logits"));
        AssertClose([.. predictions.SelectMany(prediction => prediction.Probabilities)], results.Floats("probabilities"));
        // Two classes can be so close that the last bits decide.
        var labels = results.Texts("label");
        Assert.All(predictions.Index(), prediction =>
            Assert.True(
                prediction.Item.Value == labels[prediction.Index]
                    || Gap(logits.AsSpan(prediction.Index * model.ClassNames.Count, model.ClassNames.Count)) < Tolerance
            )
        );
    }

    private static double Gap(ReadOnlySpan<float> logits)
    {
        float[] sorted = [.. logits.ToArray().OrderDescending()];
        return sorted[0] - sorted[1];
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.InRange(expected.Zip(actual, (left, right) => Math.Abs(left - right)).Max(), 0, Tolerance);
    }

    private static byte[] Raw(Dataset data, int count)
    {
        var raw = new byte[count * data.Shape.Length];
        for (var sample = 0; sample < count; sample++)
            data.Test.CopyRaw(sample, raw.AsSpan(sample * data.Shape.Length));
        return raw;
    }

    private static Dataset DataOf(string name) => Dataset.Open(name);

    private static TrainedModel Trained(string data, string model, long steps) => new Trainer(
            DataOf(data),
            new TrainingOptions
            {
                Model = model,
                Steps = steps,
                EvalEvery = steps,
                Optimizer = new AdamOptions(),
            }
        ).Train().Model;

    private static void RequireFashionMnist()
    {
        if (FashionMnist.Find([FashionMnist.DebianFolder]) is not null)
            return;
        const string reason = "Fashion-MNIST is not here: install Debian's package dataset-fashion-mnist";
        Assert.False(Environment.GetEnvironmentVariable("DISTRIBUTED_REQUIRE_ALL_TESTS") is { Length: > 0 }, reason);
        Assert.Skip(reason);
    }
}
