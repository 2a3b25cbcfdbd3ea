using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Spectre.Console;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

public sealed class LiveViewTests
{
    private readonly RunStatus _status = new();

    [Fact]
    public void It_says_how_far_how_good_and_how_fast()
    {
        Begin(workers: 2);
        _status.Take(Evaluated.Of(90, new TestScore(0.2, [new Metric("accuracy", 0.9721)]), heldOut: null));
        var lines = Draw(width: 110, height: 30);
        Assert.Matches("^step 100/2,000, epoch 1 +━+ 5 % +0:19 left$", lines[0]);
        Assert.Equal("loss 0.2500 · test accuracy 0.9721 after step 90 · 1,000 samples/s", lines[1]);
        Assert.Matches("^worker +state +share +samples/s +compute +exchange +waiting", lines[2]);
        Assert.Matches("^worker 1 +training +3/6 +500 +50 % +20 % +30 % +█{14}░{6}$", lines[3]);
        Assert.Equal(5, lines.Count);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(200)]
    public void No_line_is_wider_than_the_terminal(int width)
    {
        Begin(workers: 3);
        Assert.All(Draw(width, height: 30), line => Assert.InRange(line.Length, 0, width));
    }

    [Fact]
    public void Of_more_workers_than_lines_those_that_wait_least_are_shown()
    {
        Begin(workers: 40, waiting: worker => worker == 17 ? 0 : 0.3);
        var lines = Draw(width: 110, height: 12);
        Assert.InRange(lines.Count, 5, 11);
        Assert.Contains(lines, line => line.StartsWith("worker 18 ", StringComparison.Ordinal));
        Assert.Matches("^and [0-9]+ that wait more", lines[^1]);
    }

    [Fact]
    public void Names_of_workers_are_text_and_no_markup()
    {
        _status.Take(new WorkerJoined("worker 1 ([red]host[/])", "http://a", 1, 1));
        Assert.Contains(Draw(width: 110, height: 30), line => line.Contains("([red]host[/])", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, "0:00")]
    [InlineData(6.2, "0:07")]
    [InlineData(750, "12:30")]
    [InlineData(3599.5, "1:00:00")]
    [InlineData(180_061, "50:01:01")]
    public void Durations_read_like_a_clock(double seconds, string text) =>
        Assert.Equal(text, LiveView.Duration(TimeSpan.FromSeconds(seconds)));

    private void Begin(int workers, Func<int, double>? waiting = null)
    {
        _status.Take(new RunStarted(FirstStep: 1, TotalSteps: 2000, workers, "shm"));
        _status.Take(new StepCompleted(100, 1, 0.25F, 0.1F, 64));
        for (var worker = 1; worker <= workers; worker++)
            _status.Take(new WorkerJoined($"worker {worker}", "http://a", worker, worker));
        var times = Enumerable
            .Range(0, workers)
            .Select(worker => new WorkerTimes($"worker {worker + 1}", 3, 500, 0.5, 0.2, waiting?.Invoke(worker) ?? 0.3));
        _status.Take(new WorkersMeasured(100, 1, 1000, [.. times]));
    }

    private List<string> Draw(int width, int height)
    {
        var output = new StringWriter { NewLine = "\n" };
        var terminal = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(output),
            }
        );
        terminal.Profile.Width = width;
        terminal.Write(LiveView.Draw(_status, width, height));
        return [.. output.ToString().TrimEnd('\n').Split('\n').Select(line => line.TrimEnd())];
    }
}
