using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class PermutationImportanceTests
{
    private const int Rows = 400;

    private static readonly Lazy<(TrainedModel Model, Dataset Data)> Trained = new(Train);

    [Fact]
    public void A_column_that_decides_counts_most_and_one_that_says_nothing_hardly_at_all()
    {
        var importance = Measure(repeats: 5);
        Assert.Equal(["Size", "Kind", "Noise"], importance.Select(column => column.Column));
        Assert.True(importance[0].LossRise > 10 * Math.Abs(importance[2].LossRise), Text(importance));
        Assert.True(importance[1].LossRise > 10 * Math.Abs(importance[2].LossRise), Text(importance));
        Assert.All(importance, column => Assert.InRange(column.Deviation, 0, 1));
    }

    [Fact]
    public void It_is_the_same_figure_every_time_and_another_with_another_seed()
    {
        Assert.Equal(Measure(repeats: 2), Measure(repeats: 2));
        Assert.NotEqual(Measure(repeats: 2), Measure(repeats: 2, seed: 1));
    }

    [Fact]
    public void One_repetition_has_no_deviation() => Assert.All(Measure(repeats: 1), column => Assert.Equal(0, column.Deviation));

    private static IReadOnlyList<ColumnImportance> Measure(int repeats, ulong seed = 0) =>
        PermutationImportance.Of(Trained.Value.Model, [Trained.Value.Data.Test], repeats, seed);

    private static (TrainedModel, Dataset) Train()
    {
        var random = new System.Random(1);
        var rows = Enumerable
            .Range(0, Rows)
            .Select(index =>
            {
                var (size, kind) = (random.Next(10) == 0 ? (double?)null : random.NextDouble(), random.Next(2) == 0 ? "plain" : "odd");
                var isLarge = (size ?? 0.2) > 0.5;
                return new Row(size, kind, random.NextDouble(), isLarge == (kind == "odd") ? "yes" : "no");
            });
        var data = Dataset.FromRows(rows);
        var options = new TrainingOptions
        {
            Model = """{"layers":[{"type":"embedding"},{"type":"dense","units":16},{"type":"relu"}]}""",
            Epochs = 60,
            Optimizer = new AdamOptions { LearningRate = 0.01 },
        };
        return (new Trainer(data, options).Train().Model, data);
    }

    private static string Text(IEnumerable<ColumnImportance> importance) => string.Join("; ", importance);

    private sealed record Row(double? Size, string Kind, double Noise, string Answer);
}
