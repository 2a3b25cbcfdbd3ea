using System.Text;
using Distributed.Coordinator.Runs;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class LineFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;
    private long _room = long.MaxValue;

    public LineFileTests() => _path = _folder.File("lines");

    public void Dispose() => _folder.Dispose();

    // A reader, and a run that goes on after a crash, never see a part of a line.
    [Fact]
    public void LinesThatDoNotFitAreWrittenOnceAndInOrderWhenThereIsRoom()
    {
        using var lines = new LineFile(_path, path => new LimitedFile(path, () => _room));
        Append(lines, "one", "two");
        _room = "one\ntwo\nthr".Length;
        Append(lines, "three", "four", "five");
        Assert.Equal("one\ntwo\n", File.ReadAllText(_path));
        Assert.Contains("No space left", lines.Failure!.Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(lines.FlushToDisk);

        _room = "one\ntwo\nthree\nfo".Length;
        Append(lines, "six");
        Assert.Equal("one\ntwo\nthree\n", File.ReadAllText(_path));

        _room = long.MaxValue;
        lines.FlushToDisk();
        Assert.Null(lines.Failure);
        Append(lines, "seven");
        Assert.Equal("one\ntwo\nthree\nfour\nfive\nsix\nseven\n", File.ReadAllText(_path));
    }

    [Fact]
    public void LinesWaitForAFileThatCannotBeOpened()
    {
        Directory.CreateDirectory(_path);
        using var lines = new LineFile(_path);
        Append(lines, "one", "two");
        Assert.NotNull(lines.Failure);
        Directory.Delete(_path);
        Append(lines, "three");
        Assert.Equal("one\ntwo\nthree\n", File.ReadAllText(_path));
    }

    [Fact]
    public void WhatIsMoreThanMayWaitIsLostAndCounted()
    {
        using var lines = new LineFile(_path, path => new LimitedFile(path, () => _room), mostWaiting: 10);
        _room = 0;
        Append(lines, "one", "two", "three", "four");
        Assert.Equal(2, lines.Lost);
        _room = long.MaxValue;
        Append(lines, "five");
        Assert.Equal("one\ntwo\nfive\n", File.ReadAllText(_path));
    }

    [Fact]
    public void ALineThatACrashCutShortIsDropped()
    {
        File.WriteAllText(_path, "one\ntw");
        using var lines = new LineFile(_path);
        Append(lines, "three");
        Assert.Equal("one\nthree\n", File.ReadAllText(_path));
    }

    private static void Append(LineFile lines, params IEnumerable<string> texts)
    {
        foreach (var text in texts)
            lines.Append(Encoding.UTF8.GetBytes(text + "\n"));
    }
}
