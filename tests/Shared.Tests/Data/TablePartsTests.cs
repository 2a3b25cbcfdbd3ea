using System.Text;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>A folder of files that are one table: the same as if they stood in one file, one after the other.</summary>
public sealed class TablePartsTests : IDisposable
{
    private const string Header = "x,color,kind\n";
    private const string First = "1,red,a\n2,blue,b\n3,,a\n";
    private const string Second = "?,blue,b\n5,red,a\n6,\"two\nlines\",b\n7,red,a\n";
    private const string Third = "8,blue,b\n9,red,a\n10,blue,b\n";

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Header + First, Second, Third)]
    [InlineData(Header + First, Header + Second, Header + Third)]
    [InlineData(Header, Header + First + Second, Header + Third)]
    [InlineData("\uFEFF" + Header + First, "\uFEFF\n" + Header + Second, "\uFEFF" + Header + "\n" + Third + "\n")]
    [InlineData("x,color,kind\r\n1,red,a\r\n2,blue,b\r\n3,,a", "?,blue,b\n5,red,a\n6,\"two\nlines\",b\n7,red,a", Third)]
    public void Parts_are_one_table_whether_or_not_they_repeat_the_header(params string[] parts)
    {
        for (var part = 0; part < parts.Length; part++)
            Part($"part-{part}.csv", parts[part]);

        Assert.Equal(Whole(Header + First + Second + Third), Parts());
    }

    [Fact]
    public void Parts_without_a_header_are_one_table()
    {
        Part("a", "1,2,x\n3,4,y\n5,6,x\n");
        Part("b", "1,2,x\n7,9,y\n5,6,y\n"); // its first row is that of the other part, and counts

        Assert.Equal(Whole("1,2,x\n3,4,y\n5,6,x\n1,2,x\n7,9,y\n5,6,y\n"), Parts());
    }

    [Fact]
    public void Their_order_is_that_of_their_names_and_marks_are_no_parts()
    {
        Part("part-9.csv", First);
        Part("part-10.csv", Header + Second);
        _folder.Write("parts/part-11.csv.gz", DataFolder.Gzip(Encoding.UTF8.GetBytes(Third)));
        Part("_SUCCESS", "");
        Part(".part-9.csv.crc", "\0crc");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "parts", "_temporary"));

        Assert.Equal(Whole(Header + Second + Third + First), Parts());
    }

    [Fact]
    public void A_test_set_may_be_a_folder_too()
    {
        Part("a.csv", Header + Second);
        Part("b.csv", Third);
        var train = _folder.Write("train.csv", Header + First + Second + Third);
        var test = _folder.Write("test.csv", Header + Second + Third);

        Assert.Equal(
            DatasetLoader.Load(new DataOptions { Data = train, Test = test }).Sha256,
            DatasetLoader.Load(new DataOptions { Data = train, Test = Folder }).Sha256
        );
    }

    [Theory]
    [InlineData("5,red\n", "parts/b.csv: line 1: the row has 2 cells, but the first row has 3")]
    [InlineData("5,red,a\n\n6,red,\n", "parts/b.csv: line 3: the label is empty")]
    [InlineData("5,red,a\n6,\"red,b\n", "parts/b.csv: line 2: a quoted cell is never closed")]
    [InlineData("5,red,a\n1e39,red,b\n", "parts/b.csv: line 2: column 'x': 1e39 does not fit in a 32-bit float")]
    [InlineData(
        "color,x,kind\nred,5,a\n",
        "parts/b.csv: line 1: the header, 'color,x,kind', is not that of a.csv, 'x,color,kind'; give each part the same header, or only the first one"
    )]
    [InlineData(
        "x,colour,kind\n5,red,a\n",
        "parts/b.csv: line 1: the header, 'x,colour,kind', is not that of a.csv, 'x,color,kind'; give each part the same header, or only the first one"
    )]
    public void What_is_wrong_in_a_part_is_told_with_its_own_line(string part, string message)
    {
        Part("a.csv", Header + "1,red,a\n2,blue,b\n3,red,a\n");
        Part("b.csv", part);

        Assert.Equal(message, _folder.Refusal(Folder));
    }

    [Fact]
    public void What_a_column_holds_is_told_with_part_and_line()
    {
        Part("a.csv", "x,y,kind\n1,1,a\n2,2,b\n");
        Part("b.csv", "5,5,a\noops,6,b\n6,7,b\n");

        Assert.StartsWith(
            "parts: column 'x': 'oops' (b.csv line 2) among 3 different numbers",
            _folder.Refusal(Folder),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Either_each_part_has_the_header_or_the_first_alone()
    {
        Part("a.csv", Header + First);
        Part("b.csv", Second);
        Part("c.csv", Header + Third);

        Assert.Equal(
            "parts/b.csv: line 1: there is no header, but c.csv repeats that of a.csv; give each part the same header, or only the first one",
            _folder.Refusal(Folder)
        );
    }

    [Theory]
    [InlineData(
        "year=2024",
        "parts: the folder year=2024 stands for a column and its value, which is not read; write the table without partitions, so that the column is in its files"
    )]
    [InlineData("old", "parts: the folder old would be left aside; put all parts into one folder, or name a folder that has no others")]
    public void Folders_among_the_parts_are_refused(string name, string message)
    {
        Part("a.csv", Header + First);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "parts", name));

        Assert.Equal(message, _folder.Refusal(Folder));
    }

    [Fact]
    public void Folders_of_values_alone_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "parts", "year=2024"));

        Assert.StartsWith("parts: the folder year=2024 stands for a column", _folder.Refusal(Folder), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "b.csv",
        "\0\u0001\u0002",
        "parts: b.csv is of no known format, but a.csv holds CSV (in UTF-8); move one away, or name a file"
    )]
    [InlineData("a.csv.gz", First, "parts: a.csv and a.csv.gz are the same part of the data; move one away, or name a file")]
    public void Files_that_do_not_go_together_are_refused(string name, string content, string message)
    {
        Part("a.csv", Header + First);
        Part(name, content);

        Assert.Equal(message, _folder.Refusal(Folder));
    }

    [Theory]
    [InlineData("train.csv", "test.csv")]
    [InlineData("Training-2024.csv", "Valid_2024.csv")]
    [InlineData("train-00000-of-00001.csv", "validation-00000-of-00001.csv")]
    public void A_training_and_a_test_set_side_by_side_are_not_parts_of_one_table(string train, string test)
    {
        Part(train, Header + First);
        Part(test, Header + First);

        Assert.StartsWith(
            $"parts: {train} and {test} are not parts of one table by their names: name the files",
            _folder.Refusal(Folder),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("train-0.csv", "train-1.csv")]
    [InlineData("test-0.csv", "testament.csv")]
    [InlineData("trainers.csv", "test.csv")]
    public void Names_that_merely_sound_so_are_parts(string one, string other)
    {
        Part(one, Header + First);
        Part(other, Header + First);

        Assert.Equal(Whole(Header + First + First), Parts());
    }

    private string Folder => Path.Combine(_folder.Path, "parts");

    private void Part(string name, string text)
    {
        Directory.CreateDirectory(Folder);
        _folder.Write(Path.Combine("parts", name), text);
    }

    private string Parts() => DatasetLoader.Load(new DataOptions { Data = Folder }).Sha256;

    private string Whole(string text) => DatasetLoader.Load(new DataOptions { Data = _folder.Write("whole.csv", text) }).Sha256;
}
