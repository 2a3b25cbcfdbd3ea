using Distributed.Coordinator.Options;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class HelpTests
{
    private static readonly string[] TrainOptions =
    [
        "--data",
        "--test",
        "--holdout",
        "--data-dir",
        "--label-column",
        "--task",
        "--header",
        "--decimal-comma",
        "--categorical",
        "--numeric",
        "--ignore",
        "--missing",
        "--weight-column",
        "--standardize",
        "--model",
        "--workers",
        "--threads",
        "--epochs",
        "--steps",
        "--batch-size",
        "--microbatch",
        "--label-smoothing",
        "--class-weights",
        "--loss",
        "--huber-delta",
        "--optimizer",
        "--learning-rate",
        "--momentum",
        "--nesterov",
        "--beta1",
        "--beta2",
        "--epsilon",
        "--weight-decay",
        "--clip-norm",
        "--schedule",
        "--warmup-steps",
        "--seed",
        "--no-shuffle",
        "--shuffle-block",
        "--init-weights",
        "--run",
        "--checkpoint-every",
        "--keep-checkpoints",
        "--eval-every",
        "--patience",
        "--resume",
        "--listen",
        "--min-workers",
        "--join-timeout",
        "--wait-for-workers",
        "--silence-timeout",
        "--hang-timeout",
        "--compare-every",
        "--ledger",
        "--trace",
        "--transport",
        "--exchange",
        "--token-file",
        "--insecure",
        "--quiet",
        "--json",
        "--dashboard",
        "--tensorboard",
        "--log-level",
        "--log-format",
        "--config",
    ];

    [Fact]
    public void TheTableHoldsEveryOptionOnce() =>
        Assert.Equal(TrainOptions.Order(), TrainOptionTable.Options.Select(option => option.Name).Order());

    [Fact]
    public async Task EveryOptionStandsInTheHelpWithItsDefaultAndAnExample()
    {
        var help = Unwrapped((await CommandRunner.RunAsync("train", "--help")).Output);
        foreach (var option in TrainOptionTable.Options)
        {
            Assert.Contains($" {option.Name} ", help, StringComparison.Ordinal);
            Assert.Contains($"{option.Help} [default: {option.Default}", help, StringComparison.Ordinal);
            Assert.True(
                option.IsSwitch || help.Contains($"example: {option.Name} {option.Example}]", StringComparison.Ordinal),
                option.Name
            );
        }
        Assert.Contains("Examples: coordinator train", help, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryExampleIsAValidValue()
    {
        foreach (var option in TrainOptionTable.Options)
            Assert.Contains(OptimizerOptions.Known, optimizer => IsValid(option, new() { Training = new() { Optimizer = optimizer } }));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("train -h")]
    [InlineData("verify --help")]
    [InlineData("eval --help")]
    [InlineData("predict --help")]
    [InlineData("export --help")]
    [InlineData("data --help")]
    [InlineData("data list --help")]
    [InlineData("data inspect --help")]
    [InlineData("bench --help")]
    [InlineData("bench allreduce --help")]
    [InlineData("bench scaling --help")]
    [InlineData("health --help")]
    public async Task EveryCommandHasHelpWithAnExample(string line)
    {
        var outcome = await CommandRunner.RunAsync(line.Split(' '));
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("usage: coordinator", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("Examples:", outcome.Output, StringComparison.Ordinal);
        Assert.All(outcome.Output.Split('\n'), text => Assert.True(text.Length <= 110, text));
    }

    // An option of one optimizer is refused by the others.
    private static bool IsValid(OptionSpec<TrainSettings> option, TrainSettings settings)
    {
        try
        {
            option.Apply(settings, option.IsSwitch ? OptionSpec<TrainSettings>.On : option.Example);
            return true;
        }
        catch (InputException)
        {
            return false;
        }
    }

    private static string Unwrapped(string help) => string.Join(' ', help.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
