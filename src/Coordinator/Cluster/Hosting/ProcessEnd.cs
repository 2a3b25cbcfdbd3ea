using System.Globalization;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>How a worker's process ended, as far as its parent can see.</summary>
/// <param name="ExitCode">Its exit code, where the runtime makes one of a signal.</param>
/// <param name="Output">What it wrote on standard error.</param>
/// <param name="KillsBefore">How many processes the kernel had killed for lack of memory when it began; null if that is not known.</param>
/// <param name="KillsAfter">The same when it had ended.</param>
internal sealed record ProcessEnd(int ExitCode, ErrorOutput Output, long? KillsBefore, long? KillsAfter)
{
    private const int SignalBase = 128;
    private const int Interrupt = 2;
    private const int Kill = 9;
    private const int Bus = 7;

    private static readonly Dictionary<int, string> Signals = new()
    {
        [1] = "it was hung up on (SIGHUP)",
        [Interrupt] = "the process was interrupted (SIGINT)",
        [3] = "the process was told to quit (SIGQUIT)",
        [4] = "the process met an instruction that this processor does not have (SIGILL)",
        [6] = "the process was aborted (SIGABRT)",
        [Bus] = "the process lost memory that it shares with others (SIGBUS; is /dev/shm or the temporary folder full?)",
        [8] = "the process crashed (SIGFPE)",
        [Kill] = "the process was killed (SIGKILL)",
        [11] = "the process crashed (SIGSEGV)",
        [13] = "a pipe of the process was closed (SIGPIPE)",
        [15] = "the process was terminated (SIGTERM)",
        [24] = "the process used up its processor time (SIGXCPU; see ulimit -t)",
        [25] = "the process wrote too large a file (SIGXFSZ; see ulimit -f)",
        [31] = "the process made a system call that a sandbox forbids (SIGSYS)",
    };

    /// <summary>Whether somebody killed it, which says nothing about how the next one would do.</summary>
    public bool WasKilled => ExitCode == SignalBase + Kill;

    /// <summary>Whether Ctrl+C ended it, which reaches the whole process group, and so also a worker that does not listen for signals yet.</summary>
    public bool WasInterrupted => ExitCode == SignalBase + Interrupt;

    /// <summary>How it ended, in words, with the remedy where it is known.</summary>
    public string Cause()
    {
        if (Output.IsOfHost)
            return $"the worker's program is not complete: {Output.Summary}; it belongs beside the coordinator, so build or publish both together";
        if (WasKilled && KillsAfter > KillsBefore)
        {
            return "the kernel killed the process for lack of memory (SIGKILL): make --model, --batch-size or --microbatch smaller, run fewer --workers, "
                + "or allow more memory";
        }

        // Some sandboxes do not let the count be read.
        var how = WasKilled && KillsAfter is null ? "the process was killed (SIGKILL; out of memory?)" : How();
        return Output.Last.Length == 0 ? how : $"{how}, its last words: {Output.Last}";
    }

    private string How() =>
        Signals.GetValueOrDefault(ExitCode - SignalBase)
        ?? string.Create(CultureInfo.InvariantCulture, $"the process ended with exit code {ExitCode}");
}
