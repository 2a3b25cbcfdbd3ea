using Distributed.Data;
using Distributed.Data.Tables;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Columns of words and columns with gaps: what they are taken for, what becomes of them, and what is refused.</summary>
public sealed class TableTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sample_is_numbers_then_indicators_of_gaps_then_ids()
    {
        // Ten rows, of which the fifth and the tenth are held back.
        var dataset = Load(
            "color,size,weight,kind\n"
                + "red,1,10,a\nblue,3,?,b\nred,1,30,a\nblue,3,20,b\nred,1,10,a\n"
                + "red,1,10,b\nblue,3,30,a\ngreen,1,20,b\nred,3,20,a\nviolet,,10,b\n",
            standardize: false
        );

        Assert.Equal(new SampleShape(1, 1, 4), dataset.Shape);
        Assert.Equal([new CategoryColumn("color", 3)], dataset.Inputs.Categories);
        // blue and red occur at least twice in the training part, green once: it shares id 0 with what training never sees.
        Assert.Equal([1, 10, 0, 2], Sample(dataset.Train, 0));
        Assert.Equal([3, 20, 1, 1], Sample(dataset.Train, 1)); // the mean of the other seven
        Assert.Equal([1, 20, 0, 0], Sample(dataset.Train, 6));
        Assert.Equal([2, 10, 0, 0], Sample(dataset.Test, 1)); // a gap that training does not have becomes the mean
    }

    [Fact]
    public void Gaps_of_a_category_are_a_category()
    {
        var dataset = Load("color,n,kind\nred,1,a\n,2,b\nred,3,a\nNA,4,b\nred,5,a\nred,6,b\n");

        Assert.Equal(["", "red"], Words(dataset, 0));
        Assert.Equal([2, 1, 2, 1, 2], Enumerable.Range(0, 5).Select(row => Sample(dataset.Train, row)[^1]));
    }

    [Theory]
    [InlineData("?")]
    [InlineData("NA")]
    [InlineData("N/A")]
    [InlineData("NaN")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("\"\"")]
    [InlineData("\"?\"")]
    public void These_texts_are_gaps(string gap)
    {
        var dataset = Load($"x,y,kind\n1,1,a\n{gap},2,b\n3,3,a\n5,4,b\n1,5,a\n", standardize: false);

        Assert.Equal([3, 2, 1], Sample(dataset.Train, 1));
    }

    [Fact]
    public void A_list_of_missing_texts_replaces_the_usual_ones()
    {
        var text = "country,x,kind\nNA,1,a\nNA,-999,b\nDE,3,a\nDE,5,b\nNA,1,a\n";

        var dataset = Load(text, new DataOptions { Missing = "-999,unknown", Standardize = false });

        Assert.Equal(["DE", "NA"], Words(dataset, 0));
        Assert.Equal([3, 1, 2], Sample(dataset.Train, 1));
    }

    [Fact]
    public void What_a_table_is_taken_for_follows_from_the_training_part_alone()
    {
        // The held back rows alone have a gap, a rare word and extreme numbers.
        var dataset = Load("c,x,kind\nred,1,a\nblue,3,b\nred,1,a\nblue,3,b\nviolet,?,a\nred,1,a\nblue,3,b\nred,1,a\nblue,3,b\nred,900,b\n");

        Assert.Equal(
            [2, 0],
            [dataset.Preprocessing.Table!.Length, dataset.Preprocessing.Table.Columns.OfType<NumberEncoding>().Count(c => c.HasGaps)]
        );
        Assert.Equal([0, 0], Sample(dataset.Test, 0));
        Assert.Equal(["blue", "red"], Words(dataset, 0));
        Assert.Equal(898, Sample(dataset.Test, 1)[0]);
    }

    [Fact]
    public void Numbers_without_gaps_keep_their_form_and_their_hash()
    {
        var dataset = Load("a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,10,x\n");

        Assert.Null(dataset.Preprocessing.Table);
        Assert.Equal(2, dataset.Preprocessing.Means.Count);
    }

    [Theory]
    [InlineData(
        "x,y,kind\n1,1,a\n2,2,b\noops,3,a\n4,4,b\n5,5,a\n",
        "column 'x': 'oops' (line 4) among 3 different numbers; if they stand for gaps, name them with --missing, if the numbers are categories, name the column with --categorical"
    )]
    [InlineData(
        "d,y,kind\n2020-01-02,1,a\n2020-01-03,2,b\n2020-01-04,3,a\n2020-01-04,4,b\n2020-01-03,5,a\n",
        "column 'd': it holds dates such as '2020-01-02'; leave it out with --ignore, or replace it by numbers such as year, month and weekday"
    )]
    [InlineData(
        "name,y,kind\nann,1,a\nbob,2,b\ncy,3,a\ndi,4,b\ned,5,a\n",
        "column 'name': 4 of 4 rows of the training part have a word of their own, such as 'ann': nothing can be learnt from it; leave it out with --ignore"
    )]
    [InlineData(
        "x,y,kind\n,1,a\n?,2,b\n,3,a\n,4,b\n1,5,a\n",
        "column 'x': no row of the training part has a value; leave it out with --ignore"
    )]
    [InlineData("x,y,kind\n1,1,a\n2,2,b\n3,3,a\n4,4,b\nfive,5,a\n", "line 6: column 'x': 'five' is not a number")]
    public void What_only_a_person_can_tell_is_refused(string text, string reason)
    {
        Assert.Equal($"{At("t.csv")}: {reason}", Refusal(text));
    }

    [Fact]
    public void The_problems_of_all_columns_are_told_at_once()
    {
        var refusal = Refusal(
            "name,x,d,y,kind\nann,1,2020-01-02,1,a\nbob,oops,2020-01-02,2,b\ncy,3,2020-01-02,3,a\ndi,4,2020-01-04,4,b\ned,5,2020-01-04,5,a\n"
        );

        Assert.Equal(2, refusal.Split('\n').Length);
        Assert.Contains("column 'x': 'oops'", refusal);
        Assert.Contains("column 'd': it holds dates", refusal);
    }

    [Fact]
    public void Options_say_what_columns_are()
    {
        const string text = "id,zip,x,kind\nann,1,1,a\nbob,2,2,b\ncy,1,3,a\ndi,2,4,b\ned,1,5,a\n";

        var dataset = Load(text, new DataOptions { Ignore = "id", Categorical = "zip" });

        Assert.Equal(["zip", "x"], dataset.Columns!.Features);
        Assert.Equal(["1", "2"], Words(dataset, 0));
    }

    [Theory]
    [InlineData(
        "nope",
        null,
        null,
        "there is no column 'nope'; --ignore takes an index from 0 to 2 or a name of the first row (x, y, kind)"
    )]
    [InlineData("kind", null, null, "--ignore leaves out column 'kind', which holds the labels")]
    [InlineData("x,y", null, null, "--ignore leaves no column to learn from")]
    [InlineData(null, "x", "x", "column 'x' stands in --categorical and in --numeric; leave it out in one")]
    [InlineData(null, "kind", null, "--categorical names column 'kind', which is no feature; leave it out there")]
    public void Options_that_do_not_fit_are_refused(string? ignore, string? categorical, string? numeric, string reason)
    {
        var options = new DataOptions
        {
            Ignore = ignore,
            Categorical = categorical,
            Numeric = numeric,
        };

        Assert.Equal($"{At("t.csv")}: {reason}", Refusal("x,y,kind\n1,1,a\n2,2,b\n3,3,a\n4,4,b\n5,5,a\n", options));
    }

    [Fact]
    public void Text_in_a_column_that_is_said_to_be_numbers_is_refused()
    {
        var options = new DataOptions { Numeric = "x" };

        Assert.EndsWith(
            "line 3: column 'x': 'b' is not a number",
            Refusal("x,y,kind\na,1,a\nb,2,b\na,3,a\nb,4,b\na,5,a\n".Replace("\na,1", "\n1,1"), options)
        );
    }

    [Fact]
    public void A_table_of_words_has_a_header_only_if_somebody_says_so()
    {
        const string text = "red,round,a\nblue,flat,b\nred,flat,a\nblue,round,b\nred,round,a\nblue,flat,b\nred,flat,b\n";

        Assert.Contains("may name the columns or be a row of words like the others", Refusal(text));
        Assert.Equal(6, Load(text, new DataOptions { Header = false }).Train.Count);
        Assert.Equal(5, Load(text, new DataOptions { Header = true }).Train.Count);
    }

    [Fact]
    public void A_whole_number_for_each_row_is_warned_about_and_a_fraction_is_not()
    {
        var rows = Enumerable.Range(0, 40).Select(row => $"{row},{row}.5,{(row % 2 == 0 ? "a" : "b")}");

        var text = $"id,x,kind\n{string.Join('\n', rows)}\n";
        Assert.Null(Load(text).Report); // it takes time, and workers show nothing
        var dataset = Load(text, new DataOptions { WantsReport = true });

        var warning = Assert.Single(dataset.Report!.Warnings);
        Assert.Contains("column 'id': 32 of 32 rows have a whole number of their own", warning);
    }

    [Fact]
    public void A_preprocessing_with_columns_survives_its_text()
    {
        var dataset = Load("color,size,kind\nred,1,a\nblue,,b\nred,0.1,a\nblue,3,b\nred,1,a\n");
        var json = dataset.Preprocessing.ToJson();

        Assert.Equal(json, Preprocessing.FromJson(json, "test").ToJson());
        Assert.Contains("\"words\":[\"blue\",\"red\"]", json);
    }

    [Theory]
    [InlineData("{\"columns\":[{\"words\":[\"a\",\"a\"]}],\"missing\":[]}")]
    [InlineData("{\"columns\":[{\"mean\":1}],\"missing\":[]}")]
    [InlineData("{\"columns\":[{\"mean\":1,\"deviation\":0,\"fill\":1,\"gaps\":false}],\"missing\":[]}")]
    [InlineData("{\"columns\":[{\"words\":[null]}],\"missing\":[]}")]
    [InlineData("{\"columns\":[]}")]
    public void A_bad_preprocessing_is_refused(string json) => Assert.Throws<InputException>(() => Preprocessing.FromJson(json, "test"));

    private string At(string name) => Path.Combine(_folder.Path, name);

    private static float[] Sample(SampleSet samples, int row)
    {
        var sample = new float[samples.BytesPerSample / sizeof(float)];
        samples.Decode([row], sample);
        return sample;
    }

    private static IReadOnlyList<string> Words(Dataset dataset, int column) =>
        ((CategoryEncoding)dataset.Preprocessing.Table!.Columns[column]).Words;

    private Dataset Load(string text, bool standardize = true) => Load(text, new DataOptions { Standardize = standardize });

    private Dataset Load(string text, DataOptions options)
    {
        _folder.Write("t.csv", text);
        return Dataset.Open(options with { Data = At("t.csv") });
    }

    private string Refusal(string text, DataOptions? options = null) =>
        Assert.Throws<InputException>(() => Load(text, options ?? new DataOptions())).Message;
}
