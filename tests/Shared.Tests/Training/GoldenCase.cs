using System.Text.Json;
using Distributed.Model;
using Distributed.Training;

namespace Distributed.Shared.Tests.Training;

/// <summary>One file of tests/golden: data, order of samples, initial weights, and what PyTorch made of them.</summary>
internal sealed record GoldenCase(
    JsonElement Model,
    int Features,
    int Classes,
    OptimizerOptions Optimizer,
    ScheduleOptions Schedule,
    float[] Inputs,
    int[] Labels,
    int[][] Batches,
    float[] InitialWeights,
    float[] LearningRates,
    float[] Losses,
    float[] FinalWeights
)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public ModelSpec Spec => ModelSpec.FromJson(Model.GetRawText(), "golden");

    public static GoldenCase Load(string name) => JsonSerializer.Deserialize<GoldenCase>(Resources.Text(name), Json)!;

    public float[] InputsOf(int[] batch) => [.. batch.SelectMany(sample => Inputs.AsSpan(sample * Features, Features).ToArray())];

    public int[] LabelsOf(int[] batch) => [.. batch.Select(sample => Labels[sample])];
}
