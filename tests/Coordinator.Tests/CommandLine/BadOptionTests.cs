using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class BadOptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--batch-size 0", "--batch-size 0: must be from 1 to 1048576")]
    [InlineData("--batch-size x", "--batch-size x: must be a whole number")]
    [InlineData("--batch-size 1.5", "--batch-size 1.5: must be a whole number")]
    [InlineData("--batch-size 99999999999", "--batch-size 99999999999: must be from -2147483648 to 2147483647")]
    [InlineData("--batch-size 4 --microbatch 5", "--microbatch 5: must be at most the batch size, 4")]
    [InlineData("--epochs 0", "--epochs 0: must be at least 1")]
    [InlineData("--steps -5", "--steps -5: must be at least 1")]
    [InlineData("--epochs 1 --steps 5", "--steps 5: cannot be given together with --epochs; leave one of them out")]
    [InlineData("--seed -1", "--seed -1: must be from 0 to 18446744073709551615")]
    [InlineData("--model rnn", "--model rnn: the model 'rnn' is unknown")]
    [InlineData("--model mlp:0", "hidden layer 1 of 'mlp:0' has the size '0'")]
    [InlineData("--model nowhere.json", "nowhere.json")]
    [InlineData("--optimizer sdg", "--optimizer sdg: must be sgd or adam or adamw or adagrad")]
    [InlineData("--learning-rate 0", "--learning-rate 0: must be a number above 0")]
    [InlineData("--learning-rate nan", "--learning-rate nan: must be a number, such as 0.1")]
    [InlineData("--momentum 1", "--momentum 1: must be a number from 0 to below 1")]
    [InlineData("--optimizer adam --beta1 1", "--beta1 1: must be a number from 0 to below 1")]
    [InlineData("--optimizer adamw --beta2 -1", "--beta2 -1: must be a number from 0 to below 1")]
    [InlineData("--optimizer adam --epsilon 0", "--epsilon 0: must be a number above 0")]
    [InlineData("--nesterov --momentum 0", "--nesterov: needs a --momentum above 0")]
    [InlineData("--momentum 0.5 --optimizer adam", "--momentum 0.5: belongs to --optimizer sgd, not to adam")]
    [InlineData("--optimizer adamw --nesterov", "--nesterov: belongs to --optimizer sgd, not to adamw")]
    [InlineData("--beta1 0.5", "--beta1 0.5: belongs to --optimizer adam or adamw, not to sgd")]
    [InlineData("--weight-decay -1", "--weight-decay -1: must be a number of at least 0")]
    [InlineData("--clip-norm 0", "--clip-norm 0: must be a number above 0")]
    [InlineData("--schedule linear", "--schedule linear: must be constant or step or cosine")]
    [InlineData("--warmup-steps -1", "--warmup-steps -1: must be at least 0")]
    [InlineData("--warmup-steps 1000 --epochs 1", "--warmup-steps 1000: must be at most 23, the steps of the run")]
    [InlineData("--eval-every 0", "--eval-every 0: must be at least 1 step")]
    [InlineData("--checkpoint-every 0", "--checkpoint-every 0: must be at least 1 step")]
    [InlineData("--task clustering", "--task clustering: must be auto or classification or regression")]
    [InlineData("--task regression", "--task regression does not go with digits, which is no table; leave it out")]
    [InlineData(
        "--task regression --label-smoothing 0.1",
        "--label-smoothing 0.1: belongs to classes, and this data has numbers; leave it out, or say --task classification"
    )]
    [InlineData("--class-weights even", "--class-weights even: must be balanced, or a number for each class, such as 1,2.5")]
    [InlineData("--class-weights 1,-1", "--class-weights 1,-1: must be numbers above 0")]
    [InlineData("--class-weights 1,2.5", "--class-weights 1,2.5: must be 10, one for each class in their order")]
    [InlineData("--loss square", "--loss square: must be squared or absolute or huber")]
    [InlineData("--loss huber", "--loss huber: belongs to numbers, and this data has classes; leave it out, or say --task regression")]
    [InlineData("--loss huber --huber-delta 0", "--huber-delta 0: must be a number above 0")]
    [InlineData("--huber-delta 2", "--huber-delta 2: belongs to --loss huber; say that too, or leave it out")]
    [InlineData("--decimal-comma maybe", "--decimal-comma maybe: must be on or off")]
    [InlineData("--header maybe", "--header maybe: must be on or off")]
    [InlineData("--standardize 1", "--standardize 1: must be on or off")]
    [InlineData("--data nowhere", "nowhere")]
    [InlineData("--init-weights nowhere.safetensors", "nowhere.safetensors: cannot be opened")]
    [InlineData("--workers -1", "--workers -1: must be from 0 to 1024")]
    [InlineData("--threads 0", "--threads 0: must be from 1 to 1024")]
    [InlineData("--min-workers 3", "--min-workers 3: needs --listen")]
    [InlineData("--transport pigeon", "--transport pigeon: must be auto or shm or tcp or grpc")]
    [InlineData("--exchange nobody", "--exchange nobody: must be peers or coordinator")]
    [InlineData("--listen nonsense", "--listen nonsense: must be an address such as http://0.0.0.0:5000")]
    [InlineData("--listen http://0.0.0.0:5000", "needs --token-file FILE (or --insecure, which lets anyone join)")]
    [InlineData("--token-file t --insecure", "--insecure: contradicts --token-file; give one of them")]
    [InlineData("--quiet --json", "--quiet: contradicts --json; give one of them")]
    [InlineData("--bach-size 5", "--bach-size: unknown option; did you mean --batch-size?")]
    [InlineData("--zzzzzz", "--zzzzzz: unknown option")]
    [InlineData("stray", "stray: unexpected; options begin with two dashes")]
    [InlineData("--seed", "--seed: needs a value, such as --seed 7")]
    [InlineData("--seed 1 --seed 2", "--seed: is given 2 times; give it once")]
    [InlineData("--config nowhere.json", "--config nowhere.json: cannot be read")]
    public async Task ABadOptionIsOneLineAndWritesNothing(string options, string message)
    {
        var run = _folder.File("run");
        var given = options.Split(' ');
        var rest = "--workers 0 --model mlp:9".Split(' ');
        if (given.Contains("--workers"))
            rest = rest[2..];
        if (given.Contains("--model"))
            rest = rest[..^2];
        var outcome = await CommandRunner.RunAsync(["train", .. rest, "--run", run, .. given]);
        Assert.Equal(2, outcome.ExitCode);
        var line = Assert.Single(outcome.Errors);
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
        Assert.Empty(outcome.Output);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("{\"data\": \"bl\u00fcten.csv\"}")] // written as Latin-1
    [InlineData("{\"d\u00e4ta\": \"x\"}")]
    [InlineData("{\"data\": \"\\ud800\"}")]
    public async Task AConfigurationFileThatIsNotUtf8IsOneLine(string content)
    {
        var file = _folder.File("options.json");
        await File.WriteAllTextAsync(file, content, System.Text.Encoding.Latin1);
        var outcome = await CommandRunner.RunAsync("train", "--config", file);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith($"error: --config {file}: cannot be read", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllBadOptionsAreNamedAtOnce()
    {
        var outcome = await CommandRunner.RunAsync(
            "train",
            "--bach-size",
            "5",
            "--batch-size",
            "0",
            "--workers",
            "x",
            "--seed",
            "--model",
            "mlp:0",
            "--listen",
            "http://0.0.0.0:1"
        );
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(6, outcome.Errors.Count);
    }

    [Fact]
    public async Task ResumingNeedsAFolder()
    {
        var outcome = await CommandRunner.RunAsync("train", "--resume");
        Assert.Equal("error: --resume: needs --run DIR, the folder of the run to go on with", Assert.Single(outcome.Errors));
    }

    [Theory]
    [InlineData("trian", "error: trian: unknown command; did you mean train?")]
    [InlineData("verify", "error: RUN: is missing; name a run folder, such as verify runs/first")]
    [InlineData("eval", "error: MODEL: is missing; name a run folder, such as eval runs/first")]
    [InlineData("health", "error: Required argument 'URL' missing for command: 'health'.")]
    [InlineData("data lst", "error: lst: unknown command; did you mean list?")]
    public async Task ABadCommandIsOneLine(string line, string message)
    {
        var outcome = await CommandRunner.RunAsync(line.Split(' '));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(message, Assert.Single(outcome.Errors));
    }
}
