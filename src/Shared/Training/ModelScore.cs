using Distributed.Data;
using Distributed.Kernels.Threads;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>Judges a trained model by samples with their targets, as its objective does.</summary>
internal static class ModelScore
{
    /// <summary>The mean loss and the objective's metrics.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sets">The samples, at least one; their targets are those of the model.</param>
    public static TestScore Of(TrainedModel model, IReadOnlyList<SampleSet> sets) => Of(model, sets, InputsOf);

    /// <summary>The inputs of a set as they are.</summary>
    public static InputWriter InputsOf(SampleSet samples) =>
        (first, inputs) => samples.Decode([.. Enumerable.Range(first, inputs.Length / samples.Length)], inputs);

    /// <summary>The same, of inputs that have been changed.</summary>
    /// <param name="model">The model.</param>
    /// <param name="sets">The samples, at least one.</param>
    /// <param name="inputsOf">Writes the inputs of a set.</param>
    public static TestScore Of(TrainedModel model, IReadOnlyList<SampleSet> sets, Func<SampleSet, InputWriter> inputsOf)
    {
        var spread = model.Targets is { } targets ? TargetSpread.Of(targets.Count, sets) : null;
        var objective = Objective.Create(model.Spec, spread);
        var sums = default(BatchSums);
        foreach (var samples in sets)
            sums = BatchSums.Merge(sums, Of(model, objective, samples, inputsOf(samples)));
        return TestScore.Of(objective, sums);
    }

    private static BatchSums Of(TrainedModel model, Objective objective, SampleSet samples, InputWriter inputs)
    {
        using var team = new ComputeTeam(1);
        var sums = default(BatchSums);
        var first = 0;
        ObjectiveExecutor? executor = null; // for the first pass, which no later one exceeds
        var passes = ModelPass.Outputs(model.Network, objective, model.Weights, samples.Count, inputs);
        foreach (var outputs in passes)
        {
            var rows = outputs.Length / model.Network.OutputWidth;
            executor ??= new ObjectiveExecutor(objective, TrainingOptions.DefaultMicrobatch, rows, team);
            var targets = samples.Targets.Slice(first * samples.TargetWidth, rows * samples.TargetWidth);
            sums = BatchSums.Merge(sums, executor.Evaluate(outputs.Span, targets, rows));
            first += rows;
        }

        return sums;
    }
}
