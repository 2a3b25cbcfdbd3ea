using System.Text;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Samples to predict: found by name or order, with or without their targets, scaled as the training data was.</summary>
public sealed class InputSamplesTests : IDisposable
{
    private static readonly ModelInputs Unnamed = new("model", new SampleShape(1, 1, 2), Preprocessing.None, Columns: null);
    private static readonly ModelInputs Named = Unnamed with { Columns = new ColumnNames(["width", "height"], "kind") };

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("width,height\n1,2\n3,4\n")]
    [InlineData("height,width\n2,1\n4,3\n")]
    [InlineData("kind,height,width\nlarge,2,1\n,4,3\n")]
    [InlineData("width,kind,height\n1,17,2\n3,,4\n")]
    [InlineData("1,2\n3,4\n")]
    [InlineData("1,2,large\n3,4,\n")]
    public void Columns_are_found_by_name_or_by_order_and_targets_are_left_aside(string text) =>
        Assert.Equal([1f, 2f, 3f, 4f], Read(text, Named));

    [Theory]
    [InlineData("1,2\n3,4\n")]
    [InlineData("a,b\n1,2\n3,4\n")]
    [InlineData("a,b,c\n1,2,x\n3,4,y\n")]
    public void A_model_without_names_takes_columns_in_their_order(string text) => Assert.Equal([1f, 2f, 3f, 4f], Read(text, Unnamed));

    [Fact]
    public void The_targets_may_stand_where_the_option_says() =>
        Assert.Equal([1f, 2f], Read("x,1,2\n", Unnamed, new DataOptions { LabelColumn = "0" }));

    [Theory]
    [InlineData("width,kind\n1,a\n", "there is no column 'height', which model takes")]
    [InlineData("width,height,depth\n1,2,3\n", "column 'depth' is none that model takes")]
    [InlineData("1,2,3,4\n", "a row has 4 features, model takes 2")]
    [InlineData("1\n", "a row has 1 features, model takes 2")]
    [InlineData("width,height\n", "there is a header but no row")]
    [InlineData("width,height\n1,b\n", "line 2: column 'height': 'b' is not a number")]
    public void Columns_that_the_model_does_not_take_are_refused_by_name(string text, string reason) =>
        Assert.StartsWith($"standard input: ", Refusal(text, Named, reason), StringComparison.Ordinal);

    [Fact]
    public void Values_are_scaled_as_the_training_data_was()
    {
        Assert.Equal([2f, -1f], Read("5,0\n", Unnamed with { Preprocessing = Preprocessing.Standardized([1, 2], [2, 2]) }));
        Assert.Equal([5 / 16f, 1f], Read("5,16\n", Unnamed with { Preprocessing = Preprocessing.Bytes(16) }));
    }

    [Fact]
    public void A_value_too_far_from_the_mean_is_refused()
    {
        var inputs = Unnamed with { Preprocessing = Preprocessing.Standardized([0, 0], [1, 1e-30]) };
        Refusal("1,2\n1,3e20\n", inputs, "row 1: column 1 (the first is 0) is too far from the training mean");
    }

    [Fact]
    public void Images_need_no_labels()
    {
        var path = _folder.Write("some-images", DataFolder.Idx([2, 1, 2], [0, 51, 102, 255]));
        var inputs = new ModelInputs("model", new SampleShape(1, 1, 2), Preprocessing.Bytes(255), Columns: null);
        Assert.Equal([0f, 0.2f, 0.4f, 1f], Values(Load(path, inputs), inputs));
    }

    [Fact]
    public void Of_a_folder_the_test_set_is_taken()
    {
        _folder.WritePair("train", 0, 1, 2);
        _folder.WritePair("t10k", 1);
        var inputs = new ModelInputs("model", new SampleShape(1, 1, 2), Preprocessing.Bytes(255), Columns: null);
        Assert.Equal([0f, 1 / 255f], Values(Load(_folder.Path, inputs), inputs));
    }

    [Fact]
    public void Images_are_no_input_of_a_model_of_numbers()
    {
        var path = _folder.Write("some-images", DataFolder.Idx([2, 1, 2], [0, 51, 102, 255]));
        Assert.Contains(
            "scaled in another way",
            Assert.Throws<InputException>(() => Load(path, Unnamed)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "a sample has 2 values, model takes 3",
            Assert.Throws<InputException>(() => Load(path, Unnamed with { Shape = new SampleShape(1, 1, 3) })).Message,
            StringComparison.Ordinal
        );
    }

    private static Distributed.Data.Formats.RawSamples Load(string path, ModelInputs inputs) =>
        DatasetLoader.LoadInputs(new DataOptions { Data = path }, inputs, () => Stream.Null);

    private static float[] Read(string text, ModelInputs inputs, DataOptions? options = null) =>
        Values(
            DatasetLoader.LoadInputs((options ?? new DataOptions()) with { Data = "-" }, inputs, () =>
                new MemoryStream(Encoding.UTF8.GetBytes(text))
            ),
            inputs
        );

    private static float[] Values(Distributed.Data.Formats.RawSamples samples, ModelInputs inputs)
    {
        var values = new float[samples.Count * inputs.Shape.Length];
        samples.CopyInputs(0, inputs.Preprocessing, values);
        return values;
    }

    private static string Refusal(string text, ModelInputs inputs, string reason)
    {
        var message = Assert.Throws<InputException>(() => Read(text, inputs)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        return message;
    }
}
