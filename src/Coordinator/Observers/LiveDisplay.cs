using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Distributed.Coordinator.Observers;

/// <summary>A view of the run that a terminal keeps up to date; what stays is written above it.</summary>
internal sealed class LiveDisplay : IRunObserver, IAsyncDisposable
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(200);

    private readonly CommandConsole _console;
    private readonly IAnsiConsole _terminal;
    private readonly RunStatus _status = new();
    private readonly Lock _gate = new(); // of the status, and of the terminal
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _drawing;
    private bool _isDrawn;

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
        lock (_gate)
        {
            _status.Take(runEvent);
            if (runEvent is RunWarning warning)
                _console.Error.WriteLine(RunText.Warning(warning));
            else if (runEvent is RunCompleted completed)
                WriteLine(RunText.ClosingTable(completed));
            else if (RunText.Line(runEvent) is { } line)
                WriteLine(line);
            if (runEvent is RunStarted)
                _drawing ??= DrawAsync();
        }
    }

    /// <summary>Takes the view away with the end of the training.</summary>
    public ValueTask SettleAsync(bool complete) => complete ? EndAsync() : ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => EndAsync();

    private async ValueTask EndAsync()
    {
        _ended.TrySetResult();
        if (_drawing is not null)
            await _drawing;
    }

    /// <summary>
    /// Above the view while there is one; after that as it is, since the terminal object would break long lines into pieces.
    /// </summary>
    private void WriteLine(string line)
    {
        if (_isDrawn)
            _terminal.Write(new LineAbove(line));
        else
            _console.Output.WriteLine(line);
    }

    private Task DrawAsync() =>
        _terminal
            .Live(Draw())
            .AutoClear(true)
            .StartAsync(async context =>
            {
                _isDrawn = true;
                while (!_ended.Task.IsCompleted)
                {
                    await Task.WhenAny(_ended.Task, Task.Delay(Frame, _console.Time));
                    lock (_gate)
                        context.UpdateTarget(Draw());
                }

                lock (_gate)
                    _isDrawn = false;
            });

    private IRenderable Draw() => LiveView.Draw(_status, _terminal.Profile.Width, _terminal.Profile.Height);

    /// <summary>A line where the view begins: what was there is erased first, since the view, which follows, would cover no more than itself.</summary>
    private sealed class LineAbove(string text) : Renderable
    {
        private const string EraseBelow = "\u001b[J";

        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            [Segment.Control(EraseBelow), .. text.Split('\n').SelectMany(line => new[] { new Segment(line), Segment.LineBreak })];
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
