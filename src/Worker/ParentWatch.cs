using Distributed.Hosting;
using Distributed.Protocol;

namespace Distributed.Worker;

/// <summary>
/// Ends this process when the coordinator that started it has ended, however that happened: standard input is a pipe whose
/// other end the parent holds, and the operating system closes it with the parent.
/// </summary>
internal static class ParentWatch
{
    /// <summary>Watches the pipe if the parent has said that there is one.</summary>
    public static void Start()
    {
        if (Environment.GetEnvironmentVariable(WorkerEnvironment.ParentPipe) is null)
            return;
        new Thread(Watch) { IsBackground = true, Name = "parent watch" }.Start();
    }

    private static void Watch()
    {
        using var pipe = Console.OpenStandardInput();
        var buffer = new byte[1];
        while (pipe.Read(buffer) > 0)
        {
            // The parent writes nothing; bytes that do arrive are not the end.
        }

        StandardStreams.Error.WriteLine("the coordinator has ended, and this worker with it");
        StandardStreams.CompleteAsync().Wait();
        Environment.Exit(CommandLine.ExitCode.Failed);
    }
}
