using System.Globalization;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Targets of many different numbers, whose texts are not kept, are what those of few are.</summary>
public sealed class TableLabelTests : IDisposable
{
    private const int Rows = 2000;

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Numbers_are_read_in_whatever_way_they_are_written()
    {
        var plain = Load(row => Text(row * 0.5));
        var other = Load(row =>
            row % 3 == 0 ? $" +{Text(row * 0.5)}"
            : row % 3 == 1 ? $"\"{Text(row * 0.5)}\""
            : Text(row * 0.5) + "e0"
        );

        Assert.Equal(plain.Sha256, other.Sha256);
        Assert.Equal(499.5, plain.Targets!.Means[0]); // of the training part, whose rows are 0 to 1998 without every fifth
    }

    [Fact]
    public void They_are_classes_where_somebody_says_so()
    {
        var dataset = Load(row => Text(row % 700), new DataOptions { Task = LearningTask.Classification });

        Assert.Equal(700, dataset.ClassNames.Count);
        Assert.Equal("699", dataset.ClassNames[^1]);
    }

    [Fact]
    public void Few_in_the_training_part_are_classes_whatever_is_held_back()
    {
        string Label(int row) => Text(row % 5 == 4 ? row : row % 3);

        var dataset = Load(Label);

        Assert.Equal(LearningTask.Classification, dataset.Task);
        Assert.Equal(Load(Label, new DataOptions { Task = LearningTask.Classification }).Sha256, dataset.Sha256);
    }

    [Fact]
    public void Texts_behind_many_numbers_are_still_found()
    {
        Assert.Equal(
            "t.csv: line 1902: the label 'none' is text among 1599 different numbers; drop the row, or say --task classification if all of them are classes",
            Refusal(row => row == 1900 ? "none" : Text(row))
        );
        Assert.Equal(
            "t.csv: line 1902: the label 'none' is not a number, as is to be predicted; drop the row, or say --task classification",
            Refusal(row => row == 1900 ? "none" : Text(row), new DataOptions { Task = LearningTask.Regression })
        );
        Assert.Equal("t.csv: line 1902: the label is empty", Refusal(row => row == 1900 ? "" : Text(row)));
        Assert.Equal("t.csv: line 1902: the label is Infinity; drop the row", Refusal(row => row == 1900 ? "Infinity" : Text(row)));
    }

    [Fact]
    public void Many_words_and_many_numbers_are_classes()
    {
        var dataset = Load(row => row < 1000 ? Text(row) : $"w{row}");

        Assert.Equal(Rows, dataset.ClassNames.Count);
    }

    [Fact]
    public void A_long_file_is_read_whole()
    {
        var content = new byte[(40 << 20) + 5];
        for (var i = 0; i < content.Length; i++)
            content[i] = (byte)(i % 251);

        var path = _folder.Write("long", content);

        for (var round = 0; round < 20; round++) // by several threads, which must not meet in the stream
            Assert.True(FileContent.Read(path).Span.SequenceEqual(content));
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private Dataset Load(Func<int, string> label, DataOptions? options = null) =>
        DatasetLoader.Load((options ?? new DataOptions()) with { Data = Write(label) });

    private string Refusal(Func<int, string> label, DataOptions? options = null) =>
        _folder.Refusal((options ?? new DataOptions()) with { Data = Write(label) });

    private string Write(Func<int, string> label) =>
        _folder.Write("t.csv", "x,y\n" + string.Concat(Enumerable.Range(0, Rows).Select(row => $"{row * 7 % 11},{label(row)}\n")));
}
