using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// How well a model predicts each of its numbers, in their own units, summed in double precision and in the order of the samples.
/// </summary>
internal static class TargetScores
{
    /// <summary>The errors of each target: <c>rmse</c>, <c>mae</c> and <c>r2</c>.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sets">The samples, at least one; their targets are those of the model.</param>
    public static IReadOnlyList<(string Name, IReadOnlyList<Metric> Metrics)> Of(TrainedModel model, IReadOnlyList<SampleSet> sets)
    {
        var targets = model.Targets!;
        var (squares, distances) = (new double[targets.Count], new double[targets.Count]);
        foreach (var set in sets)
            Add(model, set, squares, distances);
        var spread = TargetSpread.Of(targets.Count, sets);
        double samples = sets.Sum(set => set.Count);
        return [.. targets.Names.Select((name, target) => (name, MetricsOf(target)))];

        IReadOnlyList<Metric> MetricsOf(int target) =>
            [
                new("rmse", targets.Deviations[target] * Math.Sqrt(squares[target] / samples)),
                new("mae", targets.Deviations[target] * distances[target] / samples),
                new("r2", spread[target] > 0 ? 1 - (squares[target] / spread[target]) : double.NaN),
            ];
    }

    private static void Add(TrainedModel model, SampleSet set, double[] squares, double[] distances)
    {
        var row = 0;
        var passes = ModelPass.Outputs(model.Network, model.Objective, model.Weights, set.Count, ModelScore.InputsOf(set));
        foreach (var outputs in passes)
        {
            for (var start = 0; start < outputs.Length; start += squares.Length, row++)
            {
                for (var target = 0; target < squares.Length; target++)
                {
                    var right = BitConverter.Int32BitsToSingle(set.Targets[(row * set.TargetWidth) + target]);
                    var error = (double)outputs.Span[start + target] - right;
                    squares[target] += error * error;
                    distances[target] += Math.Abs(error);
                }
            }
        }
    }
}
