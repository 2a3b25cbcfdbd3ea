using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Labelled samples that a model is measured by: whatever a training would take as its test set.</summary>
public sealed class LabelledDataTests : IDisposable
{
    private static readonly string[] Classes = ["a", "b", "c"];
    private static readonly ModelInputs Named = new(
        "model",
        new SampleShape(1, 1, 2),
        Preprocessing.Standardized([1, 2], [2, 2]),
        new ColumnNames(["x", "y"], "kind")
    );
    private static readonly ModelInputs Unnamed = Named with { Columns = null };
    private static readonly ModelInputs Images = new("model", new SampleShape(1, 1, 2), Preprocessing.Bytes(255), Columns: null);

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("x,y,kind\n5,0,b\n", null)]
    [InlineData("kind,y,x\nb,0,5\n", null)]
    [InlineData("y,kind,x\n0,b,5\n", null)]
    [InlineData("y,truth,x\n0,b,5\n", "truth")]
    [InlineData("y,truth,x\n0,b,5\n", "1")]
    [InlineData("y,kind,x\n0,b,5\n", "0")]
    [InlineData("5,0,b\n", null)]
    [InlineData("b,5,0\n", "0")]
    public void Columns_are_found_by_name_or_by_order(string text, string? labelColumn)
    {
        var samples = Load(text, Named, new DataOptions { LabelColumn = labelColumn }).Test;

        Assert.Equal([2f, -1f], DataFolder.Decode(samples));
        Assert.Equal([1], samples.Targets.ToArray());
    }

    [Theory]
    [InlineData("1,2,c\n", 0, 1)]
    [InlineData("1,2,c\n1,2,c\n1,2,c\n1,2,c\n", 0, 4)]
    [InlineData("1,2,c\n1,2,c\n1,2,c\n1,2,c\n1,2,a\n", 4, 1)]
    public void Few_samples_and_few_classes_will_do(string text, int train, int test)
    {
        var data = Load(text, Unnamed);

        Assert.Equal((train, test), (data.Train.Count, data.Test.Count));
    }

    [Theory]
    [InlineData("x,kind\n1,a\n", "a.csv: there is no column 'y', which model takes")]
    [InlineData(
        "x,y,z,kind\n1,2,3,a\n",
        "a.csv: column 'z' is none that model takes; leave it out with --ignore, or name the column of the targets with --label-column"
    )]
    [InlineData("x,y\n1,2\n", "a.csv: there is no column 'kind' of labels besides the features; name it with --label-column")]
    [InlineData("1,2\n", "a.csv: there is no column of labels besides the features; name it with --label-column")]
    [InlineData("1,2,3,a\n", "a.csv: a row has 4 features, model takes 2, with or without a column of targets")]
    [InlineData("x,y,kind\n1,2,a\n1,2,d\u0007\n", "a.csv: line 3: the label 'd\\u0007' is not among the 3 classes of model")]
    [InlineData(
        "x,kind,y,kind\n1,a,2,b\n",
        "a.csv: 'kind' is the name of columns 1 and 3 (the first is 0), of which one holds the labels; drop or rename the others"
    )]
    public void What_the_model_does_not_know_is_refused_by_name(string text, string reason) =>
        Assert.Equal(
            reason,
            Assert
                .Throws<InputException>(() => Load(text, Named).Test)
                .Message.Replace(_folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
        );

    [Fact]
    public void A_header_of_numbers_is_known_by_the_model()
    {
        var inputs = Unnamed with { Columns = new ColumnNames(["0", "1"], "kind") };

        Assert.Equal([2f, -1f], DataFolder.Decode(Load("kind,1,0\na,0,5\n", inputs).Test));
        Assert.Equal([2f, -1f, 0f, 0f], DataFolder.Decode(Load("5,0,a\n1,2,b\n", inputs).Test));
    }

    [Fact]
    public void A_test_set_of_its_own_is_measured_without_the_training_set()
    {
        var test = _folder.Write("test.csv", "1,2,a\n");

        Assert.Equal(1, Load("this is no table", Named, new DataOptions { Test = test }).Test.Count);
    }

    [Fact]
    public void Images_need_not_show_all_classes()
    {
        var path = _folder.WritePair("t10k", 1, 1);

        var samples = Take(new DataOptions { Data = path }, Images, Classes).Test;

        Assert.Equal([1, 1], samples.Targets.ToArray());
        Assert.Equal([0f, 1 / 255f, 1 / 255f, 2 / 255f], DataFolder.Decode(samples));
    }

    [Fact]
    public void Images_of_a_class_that_the_model_does_not_know_are_refused()
    {
        var path = _folder.WritePair("t10k", 1, 3);

        Assert.EndsWith(
            "t10k-labels-idx1-ubyte: offset 9: the label of sample 1 is 3, but the classes are 0 to 2",
            Assert.Throws<InputException>(() => Take(new DataOptions { Data = path }, Images, Classes).Test).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Data_with_a_name_is_matched_by_the_names_of_its_classes()
    {
        var inputs = new ModelInputs("model", new SampleShape(1, 8, 8), Preprocessing.Bytes(16), Columns: null);
        string[] reversed = [.. Enumerable.Range(0, 10).Reverse().Select(digit => $"{digit}")];
        var digits = DatasetLoader.Load(new DataOptions());

        var samples = Take(new DataOptions(), inputs, reversed).Test;

        Assert.Equal(digits.Test.Targets.ToArray().Select(label => 9 - label), samples.Targets.ToArray());
        Assert.Equal(
            "digits: the class '9' is not among the 9 classes of model",
            Assert.Throws<InputException>(() => Take(new DataOptions(), inputs, reversed[1..]).Test).Message
        );
    }

    private LabelledData Load(string text, ModelInputs inputs, DataOptions? options = null) =>
        Take((options ?? new DataOptions()) with { Data = _folder.Write("a.csv", text) }, inputs, Classes);

    private static LabelledData Take(DataOptions options, ModelInputs inputs, string[] classes) =>
        DatasetLoader.LoadLabelled(options, inputs, classes, data => data);
}
