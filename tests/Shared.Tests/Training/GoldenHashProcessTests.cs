using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>
/// Vector width must not change a bit: the golden models are trained again by processes whose runtime does without some instructions.
/// </summary>
public sealed class GoldenHashProcessTests
{
    [Theory]
    [InlineData("EnableAVX512")]
    [InlineData("EnableAVX2")]
    [InlineData("EnableHWIntrinsic")]
    public async Task Processes_without_some_instructions_end_in_the_same_bits(string instructions)
    {
        using var process = Process.Start(StartInfo(instructions))!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await errors;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output);
        var tests = GoldenModels.All.Count + 1; // and the test of the switch
        Assert.Contains($"Total: {tests}, Errors: 0, Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
    }

    /// <summary>This assembly as a program of its own, on the runtime of this process.</summary>
    private static ProcessStartInfo StartInfo(string instructions)
    {
        var host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        string[] arguments =
        [
            "exec",
            typeof(GoldenHashProcessTests).Assembly.Location,
            "-noColor",
            "-class",
            typeof(GoldenHashModelTests).FullName!,
        ];
        var start = new ProcessStartInfo(host, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[$"DOTNET_{instructions}"] = "0";
        return start;
    }
}
