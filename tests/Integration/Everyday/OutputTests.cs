using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>People close, fill and forget the outputs of a training; what they see never decides how it ends.</summary>
public sealed class OutputTests
{
    // Two workers share one microbatch, which is a warning on standard error.
    private const string Training = "$coordinator train --data data.csv --workers 2 --steps 6 --run run";

    [Theory]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    [InlineData(">/dev/full")]
    [InlineData("2>/dev/full")]
    [InlineData(">/dev/full 2>/dev/full")]
    [InlineData("--json >&-")]
    [InlineData("--json >/dev/full 2>&-")]
    [InlineData("--quiet >/dev/full 2>/dev/full")]
    [InlineData("| true")]
    [InlineData("2>&1 | head -n 1")]
    public async Task A_training_whose_output_cannot_be_written_is_complete(string outputs)
    {
        using var folder = new TempFolder();
        Problem.OneMicrobatch.WriteTo(folder);
        var options = string.Join(' ', Problem.OneMicrobatch.Options);
        await using var shell = RunningProcess.Shell(folder.Path, $"set -o pipefail; {Training} {options} {outputs}");

        var exit = await shell.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);
        Assert.Equal((await Problem.OneMicrobatch.ReferenceAsync(6)).WeightsSha256, FinishedRun.Read(folder["run"]).WeightsSha256);
    }

    // 64 KiB fit into a pipe that is never read; this run says more than that.
    [Fact]
    public async Task A_training_whose_output_is_never_read_is_complete()
    {
        using var folder = new TempFolder();
        var options = string.Join(' ', Problem.FewMicrobatches.WriteTo(folder));
        await using var shell = RunningProcess.Shell(
            folder.Path,
            $"mkfifo pipe; exec 3<>pipe; $coordinator train {options} --workers 0 --steps 900 --json --run run >&3 2>&3"
        );

        Assert.Equal(0, (await shell.ExitAsync()).Code);
        Assert.Equal(900, File.ReadLines(folder["run/metrics.jsonl"]).Count(line => line.Contains("\"loss\"", StringComparison.Ordinal)));
    }

    // The first file that a process opens gets the number of a stream that is closed.
    [Fact]
    public async Task Nothing_that_is_shown_lands_in_a_file_of_the_run()
    {
        using var folder = new TempFolder();
        var options = string.Join(' ', Problem.FewMicrobatches.WriteTo(folder));
        await using var shell = RunningProcess.Shell(
            folder.Path,
            $"$coordinator train {options} --workers 2 --steps 6 --json --run run <&- >&- 2>&-"
        );

        Assert.Equal(0, (await shell.ExitAsync()).Code);
        var reference = await Problem.FewMicrobatches.ReferenceAsync(6);
        Assert.Equal(reference.Metrics, File.ReadAllText(folder["run/metrics.jsonl"]));
        Assert.Equal(reference.Model, File.ReadAllBytes(folder["run/model.safetensors"]));
    }

    [Fact]
    public async Task A_refusal_is_a_refusal_although_nobody_can_read_it()
    {
        using var folder = new TempFolder();
        await using var shell = RunningProcess.Shell(folder.Path, "$coordinator train --data none.csv --run run 2>/dev/full");
        Assert.Equal(2, (await shell.ExitAsync()).Code);
    }
}
