using Distributed.Data;
using Distributed.Random;

namespace Distributed.Training;

/// <summary>
/// How much a model depends on each column of a table: what its loss rises by when the column's values are dealt out anew among the samples, so
/// that they say nothing of the target any more (L. Breiman, "Random forests", 2001). Columns that say the same stand in for each other, so
/// that each of them may look unimportant.
/// </summary>
internal static class PermutationImportance
{
    /// <summary>Measures it.</summary>
    /// <param name="model">A model of a table.</param>
    /// <param name="sets">The samples, at least one; values stay inside their set.</param>
    /// <param name="repeats">How often each column is dealt out.</param>
    /// <param name="seed">Decides the orders.</param>
    /// <returns>A figure for each column, in their order.</returns>
    public static IReadOnlyList<ColumnImportance> Of(TrainedModel model, IReadOnlyList<SampleSet> sets, int repeats, ulong seed)
    {
        var known = ModelScore.Of(model, sets).Loss;
        return [.. Columns(model).Select((column, index) => Of(model, sets, column, repeats, known, seed, index))];
    }

    /// <summary>The columns of a model of a table, each with the places of its values in a sample; null if it takes no columns.</summary>
    private static IEnumerable<(string Name, int[] Places)> Columns(TrainedModel model)
    {
        var places = model.Preprocessing.Table?.Places()
            ?? [.. Enumerable.Range(0, model.InputShape.Length).Select(place => new[] { place })];
        var names = model.Inputs.Columns?.Features;
        return places.Select((values, column) => (names?[column] ?? $"column {column}", values));
    }

    private static ColumnImportance Of(
        TrainedModel model,
        IReadOnlyList<SampleSet> sets,
        (string Name, int[] Places) column,
        int repeats,
        double known,
        ulong seed,
        int index
    )
    {
        var rises = new double[repeats];
        for (var repeat = 0; repeat < repeats; repeat++)
        {
            var draws = new CounterRandom(seed, RandomPurpose.PermutationImportance, ((ulong)index << 32) | (uint)repeat);
            rises[repeat] = ModelScore.Of(model, sets, samples => Dealt(samples, column.Places, draws)).Loss - known;
        }

        var mean = rises.Average();
        var deviation = Math.Sqrt(rises.Sum(rise => (rise - mean) * (rise - mean)) / Math.Max(1, repeats - 1));
        return new ColumnImportance(column.Name, mean, deviation);
    }

    private static InputWriter Dealt(SampleSet samples, int[] places, CounterRandom draws)
    {
        var (order, inputs) = (BatchPlan.Shuffled(samples.Count, draws), ModelScore.InputsOf(samples));
        return (first, values) =>
        {
            inputs(first, values);
            var rows = values.Length / samples.Length;
            var dealt = new float[rows];
            foreach (var place in places)
            {
                samples.DecodeValues(order.AsSpan(first, rows), place, 1, dealt);
                for (var row = 0; row < rows; row++)
                    values[(row * samples.Length) + place] = dealt[row];
            }
        };
    }
}

/// <summary>How much a model depends on a column.</summary>
/// <param name="Column">Its name.</param>
/// <param name="LossRise">What the mean loss rises by without it, over the repetitions.</param>
/// <param name="Deviation">The standard deviation between repetitions.</param>
internal sealed record ColumnImportance(string Column, double LossRise, double Deviation);
