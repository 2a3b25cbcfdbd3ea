using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Columns and files may be called anything, whatever it means to a shell or to a parser of command lines.</summary>
public sealed class NamesTests
{
    [Theory]
    [InlineData("@s")]
    [InlineData("--data")]
    [InlineData("-x")]
    [InlineData("--")]
    [InlineData("[diagram]")]
    [InlineData("a b")]
    [InlineData("$HOME")]
    [InlineData("a=b:c")]
    [InlineData("größe")]
    public async Task A_column_is_found_by_its_name_in_the_coordinator_and_in_its_workers(string name)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["s"], "--threads 1");
        Problem.FewMicrobatches.WriteNamed(folder["data.csv"], name);
        string[] options = ["--data", folder["data.csv"], $"--label-column={name}", .. Problem.FewMicrobatches.Options];
        var run = await FinishedRun.TrainAsync(folder, [.. options, "--steps", "4", "--workers", "2"]);
        Assert.Equal((await Problem.FewMicrobatches.ReferenceAsync(4)).WeightsSha256, run.WeightsSha256);
    }

    [Theory]
    [InlineData("@s.csv")]
    [InlineData("-x.csv")]
    [InlineData("a b.csv")]
    [InlineData("it's.csv")]
    public async Task A_file_is_found_by_its_name(string name)
    {
        using var folder = new TempFolder();
        Problem.FewMicrobatches.WriteTo(folder);
        File.Move(folder["data.csv"], folder[name]);
        var run = await FinishedRun.TrainAsync(
            folder,
            [$"--data={name}", .. Problem.FewMicrobatches.Options, "--steps", "4", "--workers", "2"]
        );
        Assert.Equal((await Problem.FewMicrobatches.ReferenceAsync(4)).WeightsSha256, run.WeightsSha256);
    }
}
