using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;
using Spectre.Console;

namespace Distributed.Coordinator.Observers;

/// <summary>A progress bar for a terminal; what stays is written above it.</summary>
internal sealed class LiveDisplay : IRunObserver, IAsyncDisposable
{
    private readonly CommandConsole _console;
    private readonly IAnsiConsole _terminal;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _drawing = Task.CompletedTask;
    private ProgressTask? _progress;
    private RunStarted? _started;

    /// <summary>Shows on the console's output.</summary>
    internal LiveDisplay(CommandConsole console)
    {
        _console = console;
        _terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new TerminalOutput(console.Output) });
    }

    /// <inheritdoc/>
    public string Name => "the output";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is RunStarted started)
            Begin(started);
        if (runEvent is StepCompleted step)
            Advance(step);
        else if (runEvent is RunWarning warning)
            _console.Error.WriteLine(RunText.Warning(warning));
        else if (RunText.Line(runEvent) is { } line)
            WriteLine(line);
    }

    /// <summary>Takes the bar away with the end of the training.</summary>
    public ValueTask SettleAsync(bool complete) => complete ? EndAsync() : ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => EndAsync();

    private async ValueTask EndAsync()
    {
        _ended.TrySetResult();
        await _drawing;
        _progress = null;
    }

    /// <summary>
    /// Above the bar while there is one; after that as it is, since the terminal object would break long lines into pieces.
    /// </summary>
    private void WriteLine(string line)
    {
        if (_progress is null)
            _console.Output.WriteLine(line);
        else
            _terminal.WriteLine(line);
    }

    private void Begin(RunStarted started)
    {
        _started = started;
        _drawing = _terminal
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                _progress = context.AddTask("starting", maxValue: Math.Max(1, started.TotalSteps - started.FirstStep + 1));
                return _ended.Task;
            });
    }

    private void Advance(StepCompleted step)
    {
        if (_progress is null || _started is null)
            return;
        _progress.Description = RunText.Step(step, _started.TotalSteps).EscapeMarkup();
        _progress.Value = step.Step - _started.FirstStep + 1;
    }

    /// <summary>The terminal behind a writer that is not the system's own, by which the library would know it.</summary>
    /// <param name="writer">Writes to the terminal.</param>
    private sealed class TerminalOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        private readonly AnsiConsoleOutput _system = new(Console.Out);

        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => _system.Width;

        public int Height => _system.Height;

        public void SetEncoding(System.Text.Encoding encoding) => _system.SetEncoding(encoding);
    }
}
