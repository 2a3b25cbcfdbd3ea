using System.Diagnostics;
using System.Text;
using Distributed.Checkpoints;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Data and weights that come out of a pipe, which gives its content once.</summary>
public sealed class PipeTests : IDisposable
{
    private const string Rows = "x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,a\n100,1000,c\n";

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("t.csv", false)]
    [InlineData("t.csv", true)]
    [InlineData("pipe", false)]
    public async Task A_table_out_of_a_pipe_is_the_same_as_out_of_a_file_however_often_it_is_loaded(string name, bool isCompressed)
    {
        var content = Encoding.UTF8.GetBytes(Rows);
        var (pipe, writing) = Pipe(name, isCompressed ? DataFolder.Gzip(content) : content);
        var expected = DatasetLoader.Load(new DataOptions { Data = _folder.Write("file.csv", Rows) }).Sha256;

        Assert.Equal(expected, DatasetLoader.Load(new DataOptions { Data = pipe }).Sha256);
        await writing;
        Assert.Equal(expected, DatasetLoader.Load(new DataOptions { Data = pipe }).Sha256);
    }

    [Fact]
    public async Task Training_and_test_set_may_both_be_pipes()
    {
        var (train, writingTrain) = Pipe("train", Encoding.UTF8.GetBytes(Rows));
        var (test, writingTest) = Pipe("test", "x,y,kind\n1,2,a\n"u8.ToArray());

        var dataset = DatasetLoader.Load(new DataOptions { Data = train, Test = test });

        await Task.WhenAll(writingTrain, writingTest);
        Assert.Equal((5, 1), (dataset.Train.Count, dataset.Test.Count));
    }

    [Theory]
    [InlineData("", "the file is empty; a dataset needs samples")]
    [InlineData("\u001f\u008b", "the compressed data is damaged or truncated; get the file again")]
    [InlineData("x,y,kind\n1,a\n", "line 2: the row has 2 cells, but the first row has 3")]
    public async Task What_is_refused_in_a_file_is_refused_in_a_pipe(string text, string reason)
    {
        var (pipe, writing) = Pipe("pipe", Encoding.Latin1.GetBytes(text));

        Assert.Equal($"pipe: {reason}", _folder.Refusal(pipe));
        await writing;
    }

    [Fact]
    public async Task Weights_out_of_a_pipe_are_read()
    {
        using var content = new MemoryStream();
        SafeTensorsWriter.Write(content, [new SafeTensor("a", [2], new float[] { 1, 2 })], new Dictionary<string, string>());
        var (pipe, writing) = Pipe("weights", content.ToArray());

        using var file = SafeTensorsFile.Open(pipe);
        var values = new float[2];
        file.Read(file.Tensors["a"], values);

        await writing;
        Assert.Equal([1f, 2f], values);
    }

    /// <summary>A fifo and somebody who writes into it.</summary>
    private (string Path, Task Writing) Pipe(string name, byte[] content)
    {
        var path = Path.Combine(_folder.Path, name);
        using (var make = Process.Start("mkfifo", [path]))
            make.WaitForExit();
        return (
            path,
            Task.Run(() =>
            {
                using var pipe = new FileStream(path, FileMode.Open, FileAccess.Write);
                pipe.Write(content);
            })
        );
    }
}
