using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Data and weights come out of pipes, and do not fit everywhere.</summary>
public sealed class DataTests
{
    private static readonly string Options = string.Join(' ', Problem.FewMicrobatches.Options);

    [Theory]
    [InlineData("$coordinator train --data <(cat data.csv)", 2)]
    [InlineData("$coordinator train --data <(gzip -c data.csv)", 0)]
    [InlineData("cat data.csv | $coordinator train --data /dev/stdin", 0)]
    [InlineData("$coordinator train --data /dev/stdin < data.csv", 2)]
    [InlineData("mkfifo pipe; cat data.csv > pipe & $coordinator train --data pipe", 2)]
    public async Task A_training_out_of_a_pipe_is_that_out_of_a_file(string command, int workers)
    {
        using var folder = new TempFolder();
        Problem.FewMicrobatches.WriteTo(folder);
        var exit = await RunAsync(folder, $"{command} --workers {workers} --steps 4 {Options} --run run");
        Assert.True(exit.Code == 0, exit.ErrorText);
        Assert.Equal((await Problem.FewMicrobatches.ReferenceAsync(4)).WeightsSha256, FinishedRun.Read(folder["run"]).WeightsSha256);
    }

    [Theory]
    [InlineData("$coordinator train --data data.csv --test <(head -n 9 data.csv) --workers 2 --steps 2 --run other")]
    [InlineData("$coordinator train --data data.csv --init-weights <(cat run/model.safetensors) --workers 0 --steps 2 --run other")]
    [InlineData("$coordinator train --data data.csv --config <(echo '{\"steps\": 2}') --workers 0 --run other")]
    [InlineData("$coordinator eval <(cat run/model.safetensors) --data <(cat data.csv)")]
    [InlineData("$coordinator eval run --data <(head -n 3 data.csv)")]
    [InlineData("cat data.csv | $coordinator eval run --data /dev/stdin --part all")]
    [InlineData("$coordinator predict <(cat run/model.safetensors) --data <(cat data.csv)")]
    [InlineData("cat data.csv | $coordinator predict run --data /dev/stdin")]
    [InlineData("$coordinator data inspect --data <(cat data.csv)")]
    public async Task Whatever_is_read_may_be_a_pipe(string command)
    {
        using var folder = new TempFolder();
        await FinishedRun.TrainAsync(folder, [.. Problem.FewMicrobatches.WriteTo(folder), "--workers", "0", "--steps", "2"]);
        var model = command.Contains(" train ", StringComparison.Ordinal) ? Options : "";

        var exit = await RunAsync(folder, $"{command} {model}");

        Assert.True(exit.Code == 0, exit.ErrorText);
    }

    [Fact]
    public async Task A_model_file_may_be_a_pipe()
    {
        using var folder = new TempFolder();
        Problem.FewMicrobatches.WriteTo(folder);
        File.WriteAllText(folder["model.json"], """{"layers":[{"type":"dense","units":9},{"type":"relu"}]}""");

        var exit = await RunAsync(folder, "$coordinator train --data data.csv --model <(cat model.json) --workers 0 --steps 2 --run run");

        Assert.True(exit.Code == 0, exit.ErrorText);
    }

    [Theory]
    [InlineData("$coordinator train --data <(true) --run run", "the file is empty")]
    [InlineData("$coordinator train --data /dev/null --run run", "the file is empty")]
    [InlineData("$coordinator train --data /dev/zero --run run", "the file is empty")]
    [InlineData("$coordinator eval <(true) --data digits", "too few for a safetensors file")]
    [InlineData("$coordinator train --model /dev/zero --run run", "more than")]
    [InlineData("$coordinator train --data digits --init-weights <(echo no weights at all) --run run", "safetensors header")]
    public async Task A_pipe_without_what_is_wanted_is_refused_in_one_line(string command, string reason)
    {
        using var folder = new TempFolder();

        var exit = await RunAsync(folder, command);

        Assert.Equal(2, exit.Code);
        Assert.Contains(reason, Assert.Single(exit.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
    }

    // A heap of 32 MiB, in which the program itself runs and data of 40 MB does not.
    [Fact]
    public async Task Data_that_does_not_fit_in_memory_is_named_with_its_size()
    {
        using var folder = new TempFolder();
        File.WriteAllLines(folder["big.csv"], Enumerable.Repeat("1234567,2345678,a", 2_300_000));

        var exit = await RunAsync(folder, "DOTNET_GCHeapHardLimit=2000000 $coordinator train --data big.csv --workers 0 --run run");

        Assert.Equal(2, exit.Code);
        Assert.Contains(
            "--data big.csv: does not fit in memory (41400000 bytes in its files)",
            Assert.Single(exit.Errors),
            StringComparison.Ordinal
        );
    }

    private static async Task<Exit> RunAsync(TempFolder folder, string command)
    {
        await using var shell = RunningProcess.Shell(folder.Path, command);
        return await shell.ExitAsync();
    }
}
