using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Data is moved, copied and mounted elsewhere: equal content is the same data, wherever it lies.</summary>
public sealed class PlacesTests
{
    private static readonly string Options = string.Join(' ', Problem.FewMicrobatches.Options);

    [Fact]
    public async Task Data_that_was_found_in_a_folder_for_data_is_found_again_from_anywhere()
    {
        using var folder = new TempFolder();
        await DoAsync(
            folder,
            "mkdir d && mv data.csv d/t.csv",
            $"$coordinator train --data t.csv --data-dir d --workers 0 --steps 4 {Options} --run r"
        );
        await DoAsync(folder, "$coordinator eval r", "cd d && $coordinator eval ../r && $coordinator verify ../r --workers 2");
    }

    [Fact]
    public async Task Data_that_has_moved_is_named_anew_and_found_there_from_then_on()
    {
        using var folder = new TempFolder();
        await DoAsync(
            folder,
            $"$coordinator train --data data.csv --workers 0 --steps 4 {Options} --run r",
            "mkdir d && mv data.csv d/t.csv"
        );
        Assert.Equal(2, (await RunAsync(folder, "$coordinator eval r")).Code);
        await DoAsync(
            folder,
            "$coordinator eval r --data d/t.csv",
            "$coordinator eval r --data t.csv --data-dir d",
            "$coordinator verify r --data d/t.csv --workers 2",
            "$coordinator verify r --data t.csv --data-dir d --workers 0",
            "$coordinator train --resume --run r --data d/t.csv --workers 2 --steps 6",
            "$coordinator eval r",
            "$coordinator verify r --workers 0",
            "$coordinator train --resume --run r --workers 0 --steps 8"
        );
        Assert.Equal((await Problem.FewMicrobatches.ReferenceAsync(8)).WeightsSha256, FinishedRun.Read(folder["r"]).WeightsSha256);
    }

    [Fact]
    public async Task Other_content_is_other_data_wherever_it_lies()
    {
        using var folder = new TempFolder();
        await DoAsync(
            folder,
            $"$coordinator train --data data.csv --workers 0 --steps 4 {Options} --run r",
            "sed 's/^0/1/' data.csv > other.csv"
        );
        foreach (var command in new[] { "train --resume --run r --steps 6 --data other.csv", "verify r --data other.csv" })
        {
            var exit = await RunAsync(folder, $"$coordinator {command}");
            Assert.Equal(2, exit.Code);
            Assert.Contains("datasetSha256", exit.ErrorText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Initial_weights_may_move_too_and_may_be_gone_once_there_is_a_checkpoint()
    {
        using var folder = new TempFolder();
        await DoAsync(
            folder,
            $"$coordinator train --data data.csv --workers 0 --steps 2 {Options} --run first",
            "cp first/model.safetensors w.safetensors",
            $"$coordinator train --data data.csv --workers 0 --steps 2 {Options} --init-weights w.safetensors --run r",
            "mkdir d && mv w.safetensors d/v.safetensors",
            "$coordinator train --resume --run r --workers 0 --steps 3",
            "$coordinator verify r --init-weights d/v.safetensors --workers 2",
            "$coordinator train --resume --run r --workers 0 --steps 4 --init-weights d/v.safetensors"
        );
        Assert.Equal(2, (await RunAsync(folder, "$coordinator train --resume --run r --steps 5 --init-weights r/model.safetensors")).Code);
    }

    private static async Task DoAsync(TempFolder folder, params string[] commands)
    {
        if (!File.Exists(folder["data.csv"]) && !Directory.Exists(folder["r"]))
            Problem.FewMicrobatches.WriteTo(folder);
        foreach (var command in commands)
        {
            var exit = await RunAsync(folder, command);
            Assert.True(exit.Code == 0, $"{command}: {exit.ErrorText}");
        }
    }

    private static async Task<Exit> RunAsync(TempFolder folder, string command)
    {
        await using var shell = RunningProcess.Shell(folder.Path, command);
        return await shell.ExitAsync();
    }
}
