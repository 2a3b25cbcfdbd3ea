using System.Buffers.Binary;
using System.IO.Compression;
using Distributed.Checkpoints;
using Distributed.Coordinator.Dashboard;
using Distributed.Data;
using Distributed.Training;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class MistakeTests : IDisposable
{
    private static readonly RunPreparation Digits = RunPreparation.Load(new TrainingOptions { Model = "mlp:9" });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_samples_are_those_that_the_model_itself_gets_wrong_most_confidently()
    {
        var weights = Digits.InitialState().Weights;
        using var finder = Finder(Digits);
        var found = finder.Find(7, weights, () => false);

        var test = Digits.Dataset.Test;
        var predictions = Digits
            .Trained(weights)
            .Predictions(test.Count, (first, inputs) =>
                test.Decode([.. Enumerable.Range(first, inputs.Length / Digits.Network.InputLength)], inputs)
            );
        var wrong = predictions
            .Select(
                (prediction, sample) =>
                    (
                        prediction.Value,
                        Sample: sample,
                        Score: prediction.Probabilities.Max(),
                        Actual: Digits.Dataset.ClassNames[test.Targets[sample]]
                    )
            )
            .Where(each => each.Value != each.Actual)
            .ToList();
        Assert.Equal((7, test.Count, wrong.Count), (found.Step, found.Examined, found.Wrong));
        Assert.Equal(
            wrong
                .OrderByDescending(each => each.Score)
                .ThenBy(each => each.Sample)
                .Take(MistakeFinder.MostShown)
                .Select(each => (each.Sample, each.Value, each.Actual, (double)each.Score)),
            found.Worst.Select(mistake => (mistake.Sample, mistake.Predicted, mistake.Actual, mistake.Score))
        );
        Assert.All(found.Worst, mistake => Assert.Equal((8, 8), (mistake.Width, mistake.Height)));
    }

    [Fact]
    public void A_search_without_time_says_how_far_it_came()
    {
        using var finder = Finder(Digits);
        var asked = 0;
        var found = finder.Find(1, Digits.InitialState().Weights, () => asked++ == 2);
        Assert.InRange(found.Examined, 1, Digits.Dataset.Test.Count - 1);
    }

    [Fact]
    public void A_table_is_shown_in_its_own_words_and_units()
    {
        var rows = Enumerable
            .Range(0, 60)
            .Select(row => $"{(row % 7 == 0 ? "" : row)},{(row % 2 == 0 ? "<b>even</b>" : "odd")},{1000 + (row % 5)}");
        var prepared = Load(["size,kind,price", .. rows]);
        using var finder = Finder(prepared);
        var found = finder.Find(1, prepared.InitialState().Weights, () => false);
        Assert.Null(found.Wrong); // numbers are missed, not wrong
        Assert.Equal(MistakeFinder.MostShown, found.Worst.Count);
        var scores = found.Worst.Select(mistake => mistake.Score).ToList();
        Assert.Equal(scores.OrderDescending(), scores);
        foreach (var mistake in found.Worst)
        {
            var row = (mistake.Sample * 5) + 4; // every fifth row is a test sample
            Assert.Null(mistake.Picture);
            Assert.Equal($"{1000 + (row % 5)}", mistake.Actual);
            Assert.Equal(["size", "kind"], mistake.Values.Select(value => value.Name));
            Assert.Equal(
                [row % 7 == 0 ? "(missing)" : $"{row}", row % 2 == 0 ? "<b>even</b>" : "odd"],
                mistake.Values.Select(value => value.Text)
            );
        }
    }

    [Theory]
    [InlineData(415102.4, 0, "415102")]
    [InlineData(93316.4, 0, "93316")]
    [InlineData(1.23456, 0, "1.2346")]
    [InlineData(-3.1476e-8, 2.9, "0")]
    [InlineData(-3.1476e-8, 1e-8, "-3.1476E-08")]
    [InlineData(-1e20, 0, "-1E+20")]
    public void Numbers_are_written_as_people_read_them(double value, double deviation, string text) =>
        Assert.Equal(text, SampleText.Number(value, deviation));

    [Fact]
    public void A_picture_is_a_png_file_of_its_values()
    {
        var picture = SamplePicture.Of(new SampleShape(3, 2, 4), index => (byte)(10 * index));
        Assert.Equal((4, 2), (picture.Width, picture.Height));
        var file = Convert.FromBase64String(picture.Address["data:image/png;base64,".Length..]);
        Assert.Equal(4, BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16)));
        using var pixels = new ZLibStream(new MemoryStream(file[41..]), CompressionMode.Decompress);
        var first = new byte[13];
        pixels.ReadExactly(first);
        // A row without a filter: red, green and blue of each pixel, from three channels one after the other.
        Assert.Equal([0, 0, 80, 160, 10, 90, 170, 20, 100, 180, 30, 110, 190], first);
    }

    [Fact]
    public void A_large_picture_is_made_small()
    {
        var picture = SamplePicture.Of(new SampleShape(1, 500, 250), _ => 0);
        Assert.InRange(picture.Height, 48, 96);
        Assert.InRange(picture.Width, 24, 48);
    }

    [Fact]
    public async Task A_state_that_waits_gives_way_to_a_newer_one_and_the_last_is_searched_at_the_end()
    {
        using var begun = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var searched = new List<long>();
        var search = new MistakeSearch(
            (step, _, _) =>
            {
                searched.Add(step);
                begun.Release();
                goOn.Wait();
                return new Mistakes(step, 0, 0, []);
            },
            _ => { },
            new FakeTimeProvider()
        );
        search.Offer(State(1));
        await begun.WaitAsync();
        search.Offer(State(2));
        search.Offer(State(3)); // the search of the first is still under way
        goOn.Release(2);
        await search.DisposeAsync();
        Assert.Equal([1L, 3L], searched);
        Assert.Null(search.Failure);
    }

    [Fact]
    public async Task A_search_that_fails_ends_the_searching_alone()
    {
        var search = new MistakeSearch((_, _, _) => throw new IOException("gone"), _ => { }, TimeProvider.System);
        search.Offer(State(1));
        search.Offer(State(2));
        await search.DisposeAsync();
        Assert.Equal("gone", search.Failure!.Message);
    }

    private static Checkpoint State(long step) => new(step, new float[1], []);

    private static MistakeFinder Finder(RunPreparation prepared) =>
        new(prepared.Dataset, prepared.Network, prepared.Configuration.Options.ObjectiveOf(prepared.Dataset));

    private RunPreparation Load(IEnumerable<string> lines) =>
        RunPreparation.Load(
            TrainingOptions.ForTables with
            {
                Data = new DataOptions
                {
                    Data = _folder.Write("data.csv", string.Join('\n', lines) + "\n"),
                    Task = LearningTask.Regression,
                },
            }
        );
}
