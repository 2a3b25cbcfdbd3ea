using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

namespace Distributed.Integration.Support;

/// <summary>What a process left behind.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Errors">The lines of its standard error.</param>
internal sealed record Exit(int Code, IReadOnlyList<string> Errors)
{
    public string ErrorText => string.Join('\n', Errors);
}

/// <summary>A program that has been started: its lines as they come, and its end. Disposing ends it if it still runs.</summary>
internal sealed class RunningProcess : IAsyncDisposable
{
    /// <summary>How long anything may take that a test waits for; reaching it is a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    // What a developer's or a parent's environment must not decide.
    private static readonly string[] Uninherited =
    [
        "DISTRIBUTED_RUN_TOKEN",
        "DISTRIBUTED_PARENT_PIPE",
        "DISTRIBUTED_LOCAL_WORKER",
        "DISTRIBUTED_FAIL_AT",
        "DISTRIBUTED_FAIL_FILE",
    ];

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _reading;

    private RunningProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        _reading = Task.WhenAll(ReadOutputAsync(), ReadErrorsAsync());
    }

    public int Id { get; }

    /// <summary>Lines of standard output that nobody has taken yet; complete when the process closes it.</summary>
    public ChannelReader<string> Lines => _lines.Reader;

    /// <summary>What it has written to standard error so far.</summary>
    public string ErrorsSoFar => string.Join('\n', _errors);

    /// <summary>Starts a program.</summary>
    /// <param name="executable">The program.</param>
    /// <param name="workingFolder">Where it runs.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="temporaryFolder">What it takes for the system's temporary folder; null for the real one.</param>
    /// <param name="environment">Variables that it gets in addition.</param>
    public static RunningProcess Start(
        string executable,
        string workingFolder,
        IEnumerable<string> arguments,
        string? temporaryFolder = null,
        params IEnumerable<(string Name, string Value)> environment
    )
    {
        var start = new ProcessStartInfo(executable, arguments)
        {
            WorkingDirectory = workingFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ROOT"] = Executables.DotnetRoot;
        start.Environment["DOTNET_TieredCompilation"] = "0"; // a run of seconds does not earn back what compiling it again takes
        foreach (var name in Uninherited)
            start.Environment.Remove(name);
        if (temporaryFolder is not null)
            start.Environment["TMPDIR"] = temporaryFolder;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new RunningProcess(Process.Start(start)!);
    }

    /// <summary>Runs a command of a shell, in which <c>$coordinator</c> and <c>$worker</c> are the programs.</summary>
    /// <param name="workingFolder">Where it runs.</param>
    /// <param name="command">The command.</param>
    public static RunningProcess Shell(string workingFolder, string command) =>
        Start(
            "/bin/bash",
            workingFolder,
            ["-c", command],
            environment: [("coordinator", Executables.Coordinator), ("worker", Executables.Worker)]
        );

    /// <summary>Waits for the end.</summary>
    public async Task<Exit> ExitAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Process {Id} did not end within {Patience.TotalSeconds} seconds; it said:\n{ErrorsSoFar}");
        }

        await _reading;
        return new Exit(_process.ExitCode, [.. _errors]);
    }

    /// <summary>Ends it and all that it has started, if it still runs, and waits for the end.</summary>
    public Task<Exit> KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        return ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private async Task ReadOutputAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            _lines.Writer.TryWrite(line);
        _lines.Writer.Complete();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
            _errors.Enqueue(line);
    }
}
