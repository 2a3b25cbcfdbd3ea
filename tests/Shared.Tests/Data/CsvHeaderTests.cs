using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>What the first row of a CSV file is, which column holds the labels, and what separates the cells.</summary>
public sealed class CsvHeaderTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0,1,label\n5,6,0\n7,8,1\n9,8,1\n3,2,0\n1,1,1\n", null, 5)]
    [InlineData("2019,2020,class\n5,6,0\n7,8,1\n9,8,1\n3,2,0\n1,1,1\n", null, 5)]
    [InlineData("label,0,1\n0,5,6\n1,7,8\n1,9,8\n0,3,2\n1,1,1\n", "label", 5)]
    [InlineData("x,y,2020\n5,6,0\n7,8,1\n9,8,1\n3,2,0\n1,1,1\n", null, 5)]
    [InlineData("5,6,none\n7,8,0\n9,8,some\n3,2,0\n1,1,1\n", null, 5)]
    [InlineData("5,6,a\n7,8,b\n9,8,a\n3,2,b\n1,1,a\n", null, 5)]
    [InlineData("0,1,a\n7,8,b\n9,8,a\n3,2,b\n1,1,a\n", null, 5)]
    public void A_text_over_labels_that_are_numbers_makes_a_header(string text, string? labelColumn, int samples)
    {
        var dataset = Load(text, new DataOptions { LabelColumn = labelColumn });

        Assert.Equal(samples, dataset.Train.Count + dataset.Test.Count);
    }

    [Theory]
    [InlineData("0,1,2\n5,6,0\n7,8,1\n9,8,1\n3,2,0\n1,1,1\n", "0,1,2")]
    [InlineData("0,1,species\n5,6,a\n7,8,b\n9,8,a\n3,2,b\n1,1,a\n", "0,1,species")]
    public void A_first_row_that_may_be_either_is_asked_about(string text, string row)
    {
        Assert.Equal(
            $"a.csv: line 1: '{row}' may be a header or a sample; say which with --header on or --header off",
            _folder.Refusal(_folder.Write("a.csv", text))
        );
        Assert.Equal(5, Count(new DataOptions { Header = true }));
        Assert.Equal(6, Count(new DataOptions { Header = false }));

        int Count(DataOptions options)
        {
            var dataset = Load(text, options);
            return dataset.Train.Count + dataset.Test.Count;
        }
    }

    [Theory]
    [InlineData("2019,2020,x\n5,0,1\n7,1,2\n9,1,3\n3,0,4\n1,1,5\n", "2020")]
    [InlineData("x,2020,y\n5,0,1\n7,1,2\n9,1,3\n3,0,4\n1,1,5\n", "2020")]
    [InlineData("x,1,y\n5,0,1\n7,1,2\n9,1,3\n3,0,4\n1,1,5\n", "1")]
    [InlineData("5,0,1\n7,1,2\n9,1,3\n3,0,4\n1,1,5\n", "1")]
    public void A_column_is_named_by_a_number_too(string text, string labelColumn) =>
        Assert.Equal(["0", "1"], Load(text, new DataOptions { LabelColumn = labelColumn }).ClassNames);

    [Fact]
    public void A_number_that_names_one_column_and_counts_another_is_refused() =>
        Assert.Equal(
            "a.csv: --label-column 0 is the index of column 'x' and the name of column 2; say 'x' or 2",
            Refusal("x,y,0\n5,6,0\n7,8,1\n9,8,1\n3,2,0\n1,1,1\n", new DataOptions { LabelColumn = "0" })
        );

    [Theory]
    [InlineData("x,kind,kind\n1,a,b\n2,b,a\n", null, "kind", "1 and 2")]
    [InlineData("kind,x,kind\n1,2,a\n2,3,b\n", "kind", "kind", "0 and 2")]
    [InlineData("kind,x,kind\n1,2,a\n2,3,b\n", "2", "kind", "0 and 2")]
    public void A_feature_with_the_name_of_the_target_is_refused(string text, string? labelColumn, string name, string columns) =>
        Assert.Equal(
            $"a.csv: '{name}' is the name of columns {columns} (the first is 0), of which one holds the labels; drop or rename the others",
            Refusal(text, new DataOptions { LabelColumn = labelColumn })
        );

    [Fact]
    public void Features_of_one_name_are_told_apart_by_their_order()
    {
        var train = _folder.Write("a.csv", "x,x,kind\n1,2,a\n3,4,b\n");
        var test = _folder.Write("test.csv", "kind,x,x\na,5,6\n");

        var dataset = DatasetLoader.Load(
            new DataOptions
            {
                Data = train,
                Test = test,
                Standardize = false,
            }
        );

        Assert.Equal([5f, 6f], DataFolder.Decode(dataset.Test));
    }

    [Theory]
    [InlineData("y,kind,x\n20,b,10\n", new[] { 10f, 20f })]
    [InlineData("x,y,kind\n10,20,b\n", new[] { 10f, 20f })]
    [InlineData("10,20,b\n", new[] { 10f, 20f })]
    public void The_columns_of_a_test_file_are_brought_into_the_order_of_the_training_file(string text, float[] expected)
    {
        var train = _folder.Write("a.csv", "x,y,kind\n1,2,a\n3,4,b\n");
        var test = _folder.Write("test.csv", text);

        var dataset = DatasetLoader.Load(
            new DataOptions
            {
                Data = train,
                Test = test,
                Standardize = false,
            }
        );

        Assert.Equal(expected, DataFolder.Decode(dataset.Test));
        Assert.Equal([1], dataset.Test.Targets.ToArray());
    }

    [Theory]
    [InlineData(';')]
    [InlineData('\t')]
    [InlineData('|')]
    public void Another_separator_is_that_of_the_first_row_if_it_has_no_comma(char separator)
    {
        const string table = "\n\"a\",b,kind\n1,2.5,yes\n2,-3,no\n3,1,\"yes\"\n4,0,no\n5,7,yes\n";
        var dataset = Load(table.Replace(',', separator), new DataOptions());
        Assert.Equal(Load(table, new DataOptions()).Sha256, dataset.Sha256);
        Assert.Equal(["a", "b"], dataset.Columns!.Features);
    }

    [Fact]
    public void Commas_between_other_separators_are_text()
    {
        var dataset = Load("\"a,b\";kind\n1;one, or two\n2;three\n3;three\n4;one, or two\n5;three\n", new DataOptions());
        Assert.Equal(["one, or two", "three"], dataset.ClassNames);
        Assert.Equal(["a,b"], dataset.Columns!.Features);
    }

    [Theory]
    [InlineData("0,5;1;yes\n-1,5;2e-1;no\n2;,5;yes\n3;4,;no\n5;6,25;yes\n", "0.5,1,yes\n-1.5,0.2,no\n2,0.5,yes\n3,4,no\n5,6.25,yes\n")]
    [InlineData("x\tkind\n0,5\t1\n1,5\t0\n2\t1\n3\t0\n5\t1\n", "x,kind\n0.5,1\n1.5,0\n2,1\n3,0\n5,1\n")]
    public void Numbers_may_have_decimal_commas_if_that_is_said(string text, string twin) =>
        Assert.Equal(Load(twin, new DataOptions()).Sha256, Load(text, new DataOptions { DecimalComma = true }).Sha256);

    [Theory]
    [InlineData(
        "0,5;yes\n1,5;no\n2;yes\n",
        false,
        "line 1: the cells are separated by ';', and numbers have decimal commas: say so with --decimal-comma on"
    )]
    [InlineData(
        "\na;b\n0,5;yes\n",
        false,
        "line 2: the cells are separated by ';', and numbers have decimal commas: say so with --decimal-comma on"
    )]
    [InlineData(
        "a\tb\n0,5\tyes\n",
        false,
        "line 1: the cells are separated by a tab, and numbers have decimal commas: say so with --decimal-comma on"
    )]
    [InlineData(
        "a;b\n0,5;\"yes\"\n",
        false,
        "column 'a': '0,5' (line 2): if these are numbers with a decimal comma, say --decimal-comma on"
    )]
    [InlineData(
        "a;b\n1.000,5;yes\n",
        true,
        "column 'a': '1.000,5' (line 2): write numbers without thousands separators, currencies and percent signs, or name the column with --categorical if these are categories"
    )]
    [InlineData("a;b|c\n1;2|3\n", false, "line 1: ';' and '|' may each separate the cells; save the file as CSV with commas")]
    [InlineData(
        "a,b\n1,2\n",
        true,
        "line 1: the cells are separated by commas, which --decimal-comma on takes for parts of numbers; leave it out, or save the file with ';'"
    )]
    [InlineData("a,\"b\";c\n1,2\n", false, "line 1: text follows the closing quote of a cell")]
    public void What_separates_cells_or_numbers_and_cannot_be_told_is_refused(string text, bool decimalComma, string reason) =>
        Assert.Equal($"a.csv: {reason}", Refusal(text, new DataOptions { DecimalComma = decimalComma }));

    [Theory]
    [InlineData("1,a;b\n2,c\n3,a;b\n4,c\n5,c\n")]
    [InlineData("1,2,a;b\n2,2,c;d\n3,2,a;b\n4,2,c;d\n5,2,c;d\n")]
    [InlineData("1,\"2;3\"\n2,\"3;4\"\n3,\"2;3\"\n4,\"3;4\"\n5,\"2;3\"\n")]
    [InlineData("1,a|b\n2,c\td\n3,a|b\n4,c\td\n5,a|b\n")]
    public void Labels_may_hold_other_separators(string text) => Assert.Equal(2, Load(text, new DataOptions()).ClassNames.Count);

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("9007199254740992")]
    [InlineData("-1e300")]
    public void Labels_that_run_together_are_refused(string label) =>
        Assert.Equal(
            $"a.csv: line 2: the label {label} is too large for a class: from 2^53 on numbers run together; use smaller ones or texts",
            _folder.Refusal(_folder.Write("a.csv", $"1,2\n1,{label}\n1,3\n1,4\n1,5\n"))
        );

    [Theory]
    [InlineData(
        "x,y\u001b[2J,kind\n1,2,a\n1,3,a\n1,oops,a\n",
        "column 'y\\u001b[2J': 'oops' (line 4) among 2 different numbers; if they stand for gaps, name them with --missing, if the numbers are categories, name the column with --categorical"
    )]
    [InlineData(
        "x,y,kind\n1,2,a\n1,3,a\n1,a\u202eb,a\n",
        "column 'y': 'a\\u202eb' (line 4) among 2 different numbers; if they stand for gaps, name them with --missing, if the numbers are categories, name the column with --categorical"
    )]
    [InlineData("x,\"k\nind\"\n1,b\u0007\n1,b\u0007\n", "every label is 'b\\u0007'; classes need at least 2 (see --label-column)")]
    public void Hidden_characters_are_escaped_in_messages(string text, string reason) =>
        Assert.Equal($"a.csv: {reason}", _folder.Refusal(_folder.Write("a.csv", text)));

    private string Refusal(string text, DataOptions options) => _folder.Refusal(options with { Data = _folder.Write("a.csv", text) });

    private Dataset Load(string text, DataOptions options) => DatasetLoader.Load(options with { Data = _folder.Write("a.csv", text) });
}
