using Distributed.Coordinator.Observers.Files;
using Distributed.Coordinator.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers.Files;

public sealed class FileObserverTests
{
    private static readonly RunEvent Step = new StepCompleted(1, 1, 0.5F, 0.1F, 32);

    private readonly Warnings _run = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Events_are_written_in_order_with_their_times_and_flushed_at_the_end()
    {
        var file = new FakeFile();
        var observer = Observe(file);
        observer.Report(Step);
        _time.Advance(TimeSpan.FromSeconds(1));
        observer.Report(new WentBack(3)); // which the file does not take
        observer.Report(Step);
        await observer.SettleAsync(complete: true);
        await observer.DisposeAsync();
        Assert.Equal([TimeSpan.Zero, TimeSpan.FromSeconds(1)], file.Written.Select(at => at - file.Written[0]));
        Assert.True(file.IsFlushed && file.IsDisposed);
        Assert.Empty(_run.Messages);
    }

    [Fact]
    public async Task A_disk_that_hangs_holds_up_no_report_and_the_end_for_a_bounded_time()
    {
        using var stuck = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var file = new FakeFile
        {
            Writing = () =>
            {
                entered.Set();
                stuck.Wait();
            },
        };
        var observer = Observe(file);
        observer.Report(Step);
        entered.Wait();
        for (var i = 0; i < FileObserver.MostWaiting + 10; i++)
            observer.Report(Step); // returns, though nothing is taken any more
        Assert.Equal(
            "curves: cannot be written as fast as the run goes on: some of it is missing, and training goes on",
            Assert.Single(_run.Messages)
        );
        var settling = observer.SettleAsync(complete: true).AsTask();
        Assert.False(settling.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(5));
        await settling;
        stuck.Set();
        await observer.DisposeAsync();
    }

    [Fact]
    public async Task A_full_disk_is_told_once_and_stops_nothing()
    {
        var file = new FakeFile { Writing = () => throw new IOException("No space left on device : '/somewhere'") };
        var observer = Observe(file);
        observer.Report(Step);
        await observer.SettleAsync(complete: true);
        observer.Report(Step);
        await observer.DisposeAsync();
        Assert.Equal(
            "curves: cannot be written (No space left on device): what comes is missing in it, and training goes on",
            Assert.Single(_run.Messages)
        );
        Assert.True(file.IsDisposed);
    }

    private FileObserver Observe(FakeFile file) => new("curves", file, _time, _run);

    private sealed class FakeFile : IEventFile
    {
        public Action Writing { get; init; } = () => { };

        public List<DateTimeOffset> Written { get; } = [];

        public bool IsFlushed { get; private set; }

        public bool IsDisposed { get; private set; }

        public bool Takes(RunEvent runEvent) => runEvent is StepCompleted;

        public void Write(RunEvent runEvent, DateTimeOffset at)
        {
            Writing();
            Written.Add(at);
            IsFlushed = false;
        }

        public void Flush() => IsFlushed = true;

        public void Dispose() => IsDisposed = true;
    }

    private sealed class Warnings : IRunObserver
    {
        public List<string> Messages { get; } = [];

        public void Report(RunEvent runEvent) => Messages.Add(((RunWarning)runEvent).Message);
    }
}
