using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Shared.Tests.Export;

/// <summary>What a model puts out for samples.</summary>
internal static class Outputs
{
    /// <summary>[count, output width], what the last layer puts out.</summary>
    public static float[] Of(TrainedModel model, SampleSet samples, int count) =>
        [
            .. ModelPass
                .Outputs(model.Network, model.Objective, model.Weights, count, Decode(samples, model))
                .SelectMany(outputs => outputs.ToArray()),
        ];

    /// <summary>What people read.</summary>
    public static Prediction[] Predictions(TrainedModel model, SampleSet samples, int count) =>
        [.. model.Predictions(count, Decode(samples, model))];

    private static InputWriter Decode(SampleSet samples, TrainedModel model) =>
        (first, inputs) => samples.Decode([.. Enumerable.Range(first, inputs.Length / model.Network.InputLength)], inputs);
}
