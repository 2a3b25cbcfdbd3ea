using System.Text;
using Distributed.Data;
using Distributed.Data.Formats.Csv;
using Distributed.Data.Tables;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Text is read in blocks by several threads: where they are cut changes neither a table nor what is refused.</summary>
public sealed class CsvBlockTests
{
    private const string Text =
        "x,color,y,kind\n1,red,2.5,a\n\n2,\"two\r\nlines, and \"\"quotes\"\"\",?,b\r\n3,,1e2,a\r\r-4.25,blue,NA,b\n"
        + "5,red,0.1,c\n6, blue ,7,a\n7,\"red\",123456789.123456789,b\n8,\"\",-0,c\n\n9,blue,1,a\n10,violet,2,b\n11,red,3,\"a\"";

    [Fact]
    public void A_table_is_the_same_however_it_is_cut()
    {
        var whole = Described(int.MaxValue);

        Assert.Contains("red|two", whole); // in the order in which they appear
        foreach (var size in Enumerable.Range(1, Text.Length))
            Assert.Equal(whole, Described(size));
    }

    [Theory]
    [InlineData("1,2,a\n3,4,b\n5,\"6\"7,a\n8\n9,\"10", "line 3: text follows the closing quote of a cell")]
    [InlineData("1,2,a\n3,4,b\n\"5\n\",1e39,a\n8\n9,10,\n", "line 4: column 1 (the first is 0): 1e39 does not fit in a 32-bit float")]
    [InlineData("1,2,a\r\n3,4,b\r\n\r\n5,6,\r8\n", "line 4: the label is empty")]
    [InlineData("1,2,a\n3,4,b\n5,6,a\n\"8,9,a\n1,2,a\n", "line 4: a quoted cell is never closed")]
    [InlineData(
        "1,2,a\n3,4,b\n5,6 \"inches\",b\n5\n",
        "line 3: a quote stands inside of a cell that does not begin with one; enclose the cell in quotes, and double this one"
    )]
    public void The_first_fault_of_a_text_is_told_however_it_is_cut(string text, string message)
    {
        foreach (var size in Enumerable.Range(1, text.Length))
            Assert.Equal($"t: {message}", Assert.Throws<InputException>(() => Read(text, size)).Message);
    }

    [Fact]
    public void Quotes_without_an_end_are_refused_at_once()
    {
        // Each begins within what another block would take for text outside of quotes.
        var text = "1,2,a\n" + string.Concat(Enumerable.Repeat("1,\"x\ny\",a\n", 50)) + "1,\"x\n";

        foreach (var size in Enumerable.Range(1, 40))
        {
            var message = Assert.Throws<InputException>(() => Read(text, size)).Message;
            Assert.Equal("t: line 102: a quoted cell is never closed", message);
        }
    }

    private static string Described(int blockBytes)
    {
        var table = Read(Text, blockBytes);
        var columns = table.Columns.Select(column =>
            $"{string.Join(' ', column.Values.ToArray())} {string.Join('|', column.Words)} {string.Join(' ', column.Places.Select(table.Places.Of))}"
        );
        var labels = table.Labels.IndicesIn(["a", "b", "c"], "test");
        return $"{string.Join('\n', columns)}\n{string.Join(' ', labels)}";
    }

    private static RawTable Read(string text, int blockBytes)
    {
        var source = CsvSource.Of("t", Encoding.UTF8.GetBytes(text), hasDecimalCommas: false, blockBytes);
        var options = new DataOptions();
        return TableReader.ReadTraining(source, TableLayout.Detect(source, options), options, new RowSplit(HoldsTest: true));
    }
}
