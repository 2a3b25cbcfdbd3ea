using CsCheck;
using Distributed.Data;
using Distributed.Shared.Tests.Training;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>What judges a training while it goes on: which rows, and that they decide nothing else.</summary>
public sealed class HoldoutTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0.1", false, "9 19 29")]
    [InlineData("0.10", false, "9 19 29")]
    [InlineData("1e-1", false, "9 19 29")]
    [InlineData("0.2", true, "5 11 17 23")] // of the four in five that are not for the test
    [InlineData("0.5", true, "1 3 6 8 11 13 16 18 21 23 26 28")]
    [InlineData("0.7", false, "1 2 4 5 7 8 9 11 12 14 15 17 18 19 21 22 24 25 27 28 29")]
    public void Rows_are_held_out_by_their_index_and_spread_evenly(string fraction, bool holdsTest, string rows)
    {
        var split = RowSplit.Of(new DataOptions { Holdout = fraction }, holdsTest);
        Assert.Equal(rows, string.Join(' ', split.Rows(DataPart.Holdout, 30)));
    }

    [Fact]
    public void The_parts_are_the_rows_and_a_fraction_of_any_stretch_is_held_out() =>
        Gen.Select(Gen.Int[1, 999], Gen.Bool, Gen.Int[1, 400], Gen.Int[0, 400])
            .Sample(
                (thousandths, holdsTest, count, from) =>
                {
                    var split = new RowSplit(holdsTest, thousandths / 1000m);
                    var parts = Enum.GetValues<DataPart>().SelectMany(part => split.Rows(part, count)).Order();
                    Assert.Equal(Enumerable.Range(0, count), parts);
                    var candidates = split.Rows(DataPart.Train, from + count).Concat(split.Rows(DataPart.Holdout, from + count));
                    var stretch = candidates.Order().Skip(from).ToList();
                    var held = stretch.Count(row => split.PartOf(row) == DataPart.Holdout);
                    return Math.Abs(held - (stretch.Count * split.Fraction)) < 1;
                }
            );

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    [InlineData("-0.1")]
    [InlineData("10")]
    public void A_fraction_out_of_range_is_refused(string fraction) =>
        Assert.Equal(
            $"DataOptions.Holdout {fraction}: must be a fraction above 0 and below 1, or the path of a file",
            Assert.Throws<InputException>(() => Dataset.Open(new DataOptions { Holdout = fraction })).Message
        );

    [Fact]
    public void What_is_held_out_is_fitted_on_no_more_than_a_file_of_its_own()
    {
        // The held-out rows, the tenth of each ten, have a mean, words, gaps and targets of their own.
        string[] rows =
        [
            .. Enumerable
                .Range(0, 60)
                .Select(row =>
                    row % 10 == 9 ? $"{1000 + row},violet,?,{row}.5" : $"{row % 7},{(row % 3 == 0 ? "red" : "blue")},{row % 5},{row}.25"
                ),
        ];
        const string header = "x,color,y,price\n";
        string[] test = [.. Enumerable.Range(0, 10).Select(row => $"{row},red,1,{row}")];
        var held = Enumerable.Range(0, 60).Where(row => row % 10 == 9);
        var options = new DataOptions
        {
            Data = _folder.Write("all.csv", header + string.Join('\n', rows)),
            Test = _folder.Write("test.csv", header + string.Join('\n', test)),
        };
        var fraction = Dataset.Open(options with { Holdout = "0.1" });
        var file = Dataset.Open(
            options with
            {
                Data = _folder.Write("train.csv", header + string.Join('\n', rows.Where((_, row) => row % 10 != 9))),
                Holdout = _folder.Write("held.csv", header + string.Join('\n', held.Select(row => rows[row]))),
            }
        );

        Assert.Equal((54, 6, 10), (fraction.Train.Count, fraction.Holdout!.Count, fraction.Test.Count));
        Assert.Equal(file.Sha256, fraction.Sha256);
        Assert.Equal(file.Preprocessing.ToJson(), fraction.Preprocessing.ToJson());
        Assert.NotEqual(Dataset.Open(options).Sha256, fraction.Sha256);
    }

    [Fact]
    public void Arrays_images_and_named_data_hold_out_the_same_rows()
    {
        // Their decimals are exact.
        float[][] features = [.. Enumerable.Range(0, 330).Select(i => new[] { (i * 37 % 101 / 8f) - 5, i % 7 })];
        double[] prices = [.. features.Select(x => 200 + (30 * x[0]))];
        var table = string.Concat(features.Zip(prices, (x, price) => FormattableString.Invariant($"{x[0]:R},{x[1]:R},{price:R}\n")));
        var file = Dataset.Open(
            new DataOptions
            {
                Data = _folder.Write("numbers.csv", table),
                Holdout = "0.15",
                Task = LearningTask.Regression,
            }
        );
        var arrays = Dataset.FromArrays(features, prices, new ArrayOptions { Holdout = 0.15 });
        Assert.Equal(file.Sha256, arrays.Sha256);
        Assert.Throws<ArgumentException>(() => Dataset.FromArrays(features, prices, new ArrayOptions { Holdout = 1 }));
        Assert.Throws<ArgumentException>(() => Dataset.FromArrays(features, prices, new ArrayOptions { Holdout = double.NaN }));

        var (whole, split) = (Dataset.Open("digits"), Dataset.Open(new DataOptions { Holdout = "0.2" }));
        Assert.Equal("bb480e0787ed796897e44d038fb3b2110211e78987a4616b4b7e83419e87ce02", whole.Sha256);
        Assert.Equal((1151, 287, 359), (split.Train.Count, split.Holdout!.Count, split.Test.Count));
        Assert.Equal(whole.Train.Targets[4], split.Holdout.Targets[0]);

        var images = _folder.WritePair("train", 0, 1, 2, 0, 1, 2, 0, 1, 2, 0);
        var other = _folder.WritePair("other", 2, 1);
        var pair = Dataset.Open(new DataOptions { Data = images, Holdout = other });
        Assert.Equal((8, 2, 2), (pair.Train.Count, pair.Holdout!.Count, pair.Test.Count));
        Assert.Equal([2, 1], pair.Holdout.Targets);
        Assert.Equal(2, Dataset.Open(new DataOptions { Data = images, Holdout = "0.25" }).Holdout!.Count);
    }

    [Theory]
    [InlineData("0.01", "numbers.csv: 20 samples are too few to hold a fraction of 0.01 out; raise it, or name a file with --holdout")]
    [InlineData("nowhere.csv", "there is no dataset 'nowhere.csv': neither a name (digits, fashion-mnist) nor nowhere.csv on this machine")]
    [InlineData("classes.csv", "classes.csv: line 1: the label 'tall' is not among the 2 classes of the training set")]
    public void What_cannot_be_held_out_is_refused(string holdout, string message)
    {
        var data = _folder.Write(
            "numbers.csv",
            string.Concat(Enumerable.Range(0, 20).Select(row => $"{row}.5,{(row % 2 == 0 ? "a" : "b")}\n"))
        );
        _folder.Write("classes.csv", "1.5,tall\n");
        var place = holdout == "classes.csv" ? Path.Combine(_folder.Path, holdout) : holdout;
        var refusal = Assert.Throws<InputException>(() => Dataset.Open(new DataOptions { Data = data, Holdout = place }));
        Assert.Equal(message, refusal.Message.Replace(_folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_does_not_judge_data_with_a_name()
    {
        var refusal = Assert.Throws<InputException>(() => Dataset.Open(new DataOptions { Holdout = "held.csv" }));
        Assert.Equal("--holdout held.csv does not go with digits; hold a fraction of it out, such as 0.1", refusal.Message);
    }

    [Fact]
    public void Training_judges_by_it_and_learns_nothing_from_it()
    {
        var data = Dataset.FromArrays(NumberRun.Features, NumberRun.Targets, new ArrayOptions { Holdout = 0.2 });
        float[][] kept = [.. NumberRun.Features.Where((_, row) => new RowSplit(HoldsTest: true, 0.2m).PartOf(row) == DataPart.Train)];
        double[][] targets = [.. NumberRun.Targets.Where((_, row) => new RowSplit(HoldsTest: true, 0.2m).PartOf(row) == DataPart.Train)];
        var alone = Dataset.FromArrays(
            kept,
            targets,
            new ArrayOptions { TestFeatures = [NumberRun.Features[4]], TestTargets = [NumberRun.Targets[4]] }
        );
        var options = NumberRun.Options();
        var judged = new Trainer(data, options) { Threads = 1 }.Train();
        Assert.Equal(
            new Trainer(alone, options) { Threads = 1 }
                .Train()
                .Model.WeightsSha256,
            judged.Model.WeightsSha256
        );
        var score = ModelScore.Of(judged.Model, [data.Holdout!]);
        Assert.Equal(score["rmse"], judged.Holdout!["rmse"], 1e-4 * score["rmse"]);
        Assert.Equal(score["r2"], judged.Holdout["r2"], 1e-5);
    }

    [Fact]
    public void A_training_that_has_stopped_to_improve_ends_with_the_best_weights()
    {
        var data = Dataset.FromArrays(NumberRun.Features, NumberRun.Targets, new ArrayOptions { Holdout = 0.2 });
        var options = NumberRun.Options() with
        {
            Steps = 60,
            EvalEvery = 1,
            Patience = 2,
            Schedule = new ConstantSchedule(),
            Optimizer = new AdamOptions { LearningRate = 1 }, // restless
        };
        var told = new List<TrainingProgress>();
        var result = new Trainer(data, options) { Threads = 1 }.Train(new Sink(told));
        var evaluations = told.Where(now => now.Holdout is not null).ToList();
        var best = evaluations.MinBy(now => now.Holdout!.Loss)!;
        Assert.Equal((best.Step, best.Step + 2), (result.BestStep, result.Steps));
        Assert.Equal($"the held-out loss has not improved in 2 evaluations since step {best.Step}", result.StopReason);
        Assert.Equal(best.Test!.Loss, result.Test.Loss);
        var cut = new Trainer(data, options with { Steps = best.Step, Patience = null }) { Threads = 1 }.Train();
        Assert.Equal(cut.Model.WeightsSha256, result.Model.WeightsSha256);
        Assert.Equal((cut.Steps, null), (cut.BestStep, cut.StopReason));
    }

    [Fact]
    public void Patience_needs_something_held_out()
    {
        var options = NumberRun.Options() with { Patience = 2 };
        var refusal = Assert.Throws<InvalidOptionsException>(() => new Trainer(NumberRun.Data, options).Train());
        Assert.Equal(
            "TrainingOptions.Patience 2: needs samples that judge the training while it goes on; say TrainingOptions.Data.Holdout 0.1, or a file",
            refusal.Message
        );
        refusal = Assert.Throws<InvalidOptionsException>(() => new Trainer(NumberRun.Data, options with { Patience = 0 }).Train());
        Assert.Equal("TrainingOptions.Patience 0: must be at least 1 evaluation", refusal.Message);
    }

    private sealed class Sink(List<TrainingProgress> told) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => told.Add(value);
    }
}
