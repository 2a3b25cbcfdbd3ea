using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

public sealed class RunObserversTests : IDisposable
{
    private static readonly RunEvent First = new RunWarning("first");
    private static readonly RunEvent Second = new RunWarning("second");

    private readonly StringWriter _errors = new() { NewLine = "\n" };
    private readonly List<string> _calls = [];
    private readonly RunObservers _observers;

    public RunObserversTests() => _observers = new RunObservers(_errors);

    public void Dispose() => _errors.Dispose();

    [Fact]
    public async Task All_are_told_settled_and_disposed_of_in_their_order()
    {
        _observers.Add(new Observer(this, "a"));
        _observers.Add(new Observer(this, "b"));
        _observers.Report(First);
        await _observers.SettleAsync(complete: true);
        await _observers.DisposeAsync();
        Assert.Equal(["a first", "b first", "a settles", "b settles", "a is disposed of", "b is disposed of"], _calls);
    }

    [Fact]
    public async Task One_that_throws_is_named_once_and_only_disposed_of_after_that()
    {
        _observers.Add(new Observer(this, "a") { Throws = new IOException("no space left") });
        _observers.Add(new Observer(this, "b"));
        _observers.Report(First);
        _observers.Report(Second);
        await _observers.SettleAsync(complete: false);
        await _observers.DisposeAsync();
        Assert.Equal(["a first", "b first", "b second", "b settles", "a is disposed of", "b is disposed of"], _calls);
        Assert.Equal("warning: a failed and is left out from here on: no space left\n", _errors.ToString());
    }

    [Fact]
    public void A_failed_run_is_not_the_observers_failure_alone()
    {
        _observers.Add(new Observer(this, "a") { Throws = new RunFailedException("the metrics are lost") });
        Assert.Throws<RunFailedException>(() => _observers.Report(First));
        Assert.Empty(_errors.ToString());
    }

    [Fact]
    public async Task Disposing_reaches_all_whatever_one_of_them_throws()
    {
        _observers.Add(new Observer(this, "a") { ThrowsAtTheEnd = new RunFailedException("too late") });
        _observers.Add(new Observer(this, "b"));
        await _observers.DisposeAsync();
        Assert.Equal(["a is disposed of", "b is disposed of"], _calls);
        Assert.Contains("a failed", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_observer_reports_itself_comes_after_what_it_was_told()
    {
        _observers.Add(new Observer(this, "a") { Answers = Second });
        _observers.Add(new Observer(this, "b"));
        _observers.Report(First);
        Assert.Equal(["a first", "b first", "a second", "b second"], _calls);
    }

    [Fact]
    public void Standard_error_that_is_gone_stops_nothing()
    {
        _errors.Dispose();
        _observers.Add(new Observer(this, "a") { Throws = new IOException("no space left") });
        _observers.Add(new Observer(this, "b"));
        _observers.Report(First);
        Assert.Equal(["a first", "b first"], _calls);
    }

    private sealed class Observer(RunObserversTests test, string name) : IRunObserver, IAsyncDisposable
    {
        public Exception? Throws { get; init; }

        public Exception? ThrowsAtTheEnd { get; init; }

        public RunEvent? Answers { get; init; }

        public string Name => name;

        public void Report(RunEvent runEvent)
        {
            test._calls.Add($"{name} {((RunWarning)runEvent).Message}");
            if (Throws is not null)
                throw Throws;
            if (runEvent == First && Answers is not null)
                test._observers.Report(Answers);
        }

        public ValueTask SettleAsync(bool complete)
        {
            test._calls.Add($"{name} settles");
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            test._calls.Add($"{name} is disposed of");
            return ThrowsAtTheEnd is null ? ValueTask.CompletedTask : ValueTask.FromException(ThrowsAtTheEnd);
        }
    }
}
