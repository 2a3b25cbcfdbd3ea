using Distributed.Coordinator.Cluster.Hosting;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What is told of a worker's process that has ended.</summary>
public sealed class ProcessEndTests
{
    [Theory]
    [InlineData(137, 0L, 0L, "", "the process was killed (SIGKILL)")]
    [InlineData(
        137,
        4L,
        5L,
        "something else",
        "the kernel killed the process for lack of memory (SIGKILL): make --model, --batch-size or --microbatch smaller, run fewer --workers, or allow more memory"
    )]
    [InlineData(137, null, null, "", "the process was killed (SIGKILL; out of memory?)")]
    [InlineData(
        134,
        0L,
        1L,
        "Unhandled exception. no room",
        "the process was aborted (SIGABRT), its last words: Unhandled exception. no room"
    )]
    [InlineData(132, 0L, 0L, "", "the process met an instruction that this processor does not have (SIGILL)")]
    [InlineData(135, 0L, 0L, "", "the process lost memory that it shares with others (SIGBUS; is /dev/shm or the temporary folder full?)")]
    [InlineData(143, 0L, 0L, "", "the process was terminated (SIGTERM)")]
    [InlineData(
        2,
        0L,
        0L,
        "--coordinator http://127.0.0.1:5000: the worker has protocol version 1 ..",
        "the process ended with exit code 2, its last words: --coordinator http://127.0.0.1:5000: the worker has protocol version 1 .."
    )]
    [InlineData(0, 0L, 0L, "", "the process ended with exit code 0")]
    public void A_process_that_has_ended_says_how(int exitCode, long? before, long? after, string words, string cause) =>
        Assert.Equal(cause, Of(exitCode, before, after, words).Cause());

    [Theory]
    [InlineData(130, true)]
    [InlineData(143, false)]
    [InlineData(2, false)]
    public void Only_Ctrl_C_interrupts_the_run(int exitCode, bool isInterrupt) =>
        Assert.Equal(isInterrupt, Of(exitCode, 0, 0, "").WasInterrupted);

    [Fact]
    public void A_runtime_that_is_missing_is_told_by_what_is_said_first() =>
        Assert.Equal(
            "the worker's program is not complete: You must install or update .NET to run this application. https://aka.ms/dotnet-core-applaunch; "
                + "it belongs beside the coordinator, so build or publish both together",
            Of(
                    150,
                    0,
                    0,
                    "You must install or update .NET to run this application.",
                    "",
                    "App: /opt/worker",
                    "https://aka.ms/dotnet-core-applaunch"
                )
                .Cause()
        );

    [Fact]
    public void A_library_that_is_missing_is_named() =>
        Assert.Equal(
            "the worker's program is not complete: An assembly specified in the application dependencies manifest (worker.deps.json) was not found: "
                + "path: 'lib/net5.0/Google.Protobuf.dll'; it belongs beside the coordinator, so build or publish both together",
            Of(
                    140,
                    0,
                    0,
                    "Error:",
                    "  An assembly specified in the application dependencies manifest (worker.deps.json) was not found:",
                    "    package: 'Google.Protobuf', version: '3.33.2'",
                    "    path: 'lib/net5.0/Google.Protobuf.dll'"
                )
                .Cause()
        );

    [Theory]
    [InlineData("low 0\nhigh 0\nmax 812\noom 3\noom_kill 2\noom_group_kill 0\n", 2L)]
    [InlineData("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", 7L)]
    [InlineData("nr_free_pages 1\noom_kill 0\n", 0L)]
    [InlineData("oom_kill_disable 0\nunder_oom 0\n", null)]
    [InlineData("", null)]
    public void The_kernel_s_count_is_read(string text, long? count) => Assert.Equal(count, MemoryKills.CountIn(text));

    [Fact]
    public void The_count_is_that_of_the_own_control_group()
    {
        Assert.Equal(
            ["/sys/fs/cgroup/system.slice/run.scope/memory.events", "/sys/fs/cgroup/memory.events"],
            MemoryKills.FilesOf("0::/system.slice/run.scope\n")
        );
        Assert.Equal(
            ["/sys/fs/cgroup/memory/docker/1f/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control"],
            MemoryKills.FilesOf("8:pids:/docker/1f\n4:memory:/docker/1f\n1:name=systemd:/\n")
        );
    }

    private static ProcessEnd Of(int exitCode, long? before, long? after, params string[] lines)
    {
        var output = new ErrorOutput();
        foreach (var line in lines)
            output.Add(line);
        return new ProcessEnd(exitCode, output, before, after);
    }
}
