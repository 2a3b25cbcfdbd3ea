using Distributed.Cluster;
using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Library;

/// <summary>Training on workers from code: what a program sees of it.</summary>
public sealed class ClusterTrainerTests : IDisposable
{
    private static readonly float[][] Points =
    [
        .. Enumerable.Range(0, 330).Select(i => new[] { (i * 37 % 101 / 8f) - 5, i * 53 % 89 / 8f, i % 7 }),
    ];

    private static readonly string[] Sides = [.. Points.Select(point => point[0] > point[1] ? "right" : "left")];
    private static readonly Dataset Arrays = Dataset.FromArrays(Points, Sides, new ArrayOptions { Holdout = 0.1 });

    private static readonly TrainingOptions Options = new()
    {
        Model = "mlp:33",
        BatchSize = 100,
        Microbatch = 7,
        Steps = 7,
        EvalEvery = 3,
        Optimizer = new AdamOptions { LearningRate = 0.01 },
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, Transport.Auto, Exchange.Peers, "none")]
    [InlineData(2, Transport.Auto, Exchange.Peers, null)]
    [InlineData(3, Transport.Tcp, Exchange.Peers, "tcp")]
    [InlineData(2, Transport.Grpc, Exchange.Coordinator, "grpc")]
    public void Arrays_are_trained_on_to_the_bits_of_one_process(int workers, Transport transport, Exchange exchange, string? used)
    {
        var (alone, shared) = (new Steps(), new Steps());
        var expected = new Trainer(Arrays, Options).Train(alone);
        var result = new ClusterTrainer(Arrays, Options)
        {
            Workers = workers,
            Threads = 1,
            Transport = transport,
            Exchange = exchange,
        }.Train(shared);

        Assert.Equal(expected.Model.WeightsSha256, result.Model.WeightsSha256);
        Assert.Equal(alone.Lines, shared.Lines);
        Assert.Equal((expected.Steps, expected.BestStep), (result.Steps, result.BestStep));
        Assert.Equal(Steps.Text(expected.Test), Steps.Text(result.Test)); // the area under the curve among them
        Assert.Equal(Steps.Text(expected.Holdout), Steps.Text(result.Holdout));
        Assert.Equal((workers, 0, 0), (result.Workers, result.WorkersLost, result.WorkersJoined));
        Assert.Equal(used ?? result.Transport, result.Transport);
    }

    [Fact]
    public async Task What_was_opened_is_trained_on_as_by_the_command_line()
    {
        var options = new TrainingOptions { Model = "mlp:16", Steps = 12 };
        var dataset = Dataset.Open("digits");
        var expected = new Trainer(dataset, options).Train();
        var result = await new ClusterTrainer(dataset, options) { Workers = 2, Folder = _folder.File("run") }.TrainAsync();
        Assert.Equal(expected.Model.WeightsSha256, result.Model.WeightsSha256);

        var verified = await CommandLine.CommandRunner.RunAsync("verify", _folder.File("run"), "--workers", "0");
        Assert.True(verified.ExitCode == 0, string.Join('\n', verified.Errors));
    }

    [Fact]
    public void Early_stopping_chooses_the_same_weights()
    {
        var options = Options with
        {
            Steps = 40,
            EvalEvery = 1,
            Patience = 2,
            Optimizer = new SgdOptions { LearningRate = 1 },
        };
        var expected = new Trainer(Arrays, options).Train();
        var result = new ClusterTrainer(Arrays, options) { Workers = 2, Threads = 1 }.Train();
        Assert.NotNull(expected.StopReason);
        Assert.Equal(
            (expected.StopReason, expected.Steps, expected.BestStep, expected.Model.WeightsSha256),
            (result.StopReason, result.Steps, result.BestStep, result.Model.WeightsSha256)
        );
    }

    [Fact]
    public void A_worker_that_is_killed_changes_no_bit()
    {
        var messages = new Lines();
        var killer = new Each(progress =>
        {
            if (progress.Step == 20)
                Kill(messages);
        });
        var options = Options with { Steps = 3000, EvalEvery = 1000 };
        var result = new ClusterTrainer(Arrays, options)
        {
            Workers = 3,
            Threads = 1,
            Messages = messages,
        }.Train(killer);

        Assert.Equal(new Trainer(Arrays, options).Train().Model.WeightsSha256, result.Model.WeightsSha256);
        Assert.Equal(1, result.WorkersLost);
        Assert.Contains(messages.All, line => line.Contains("was lost at step", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_cancelled_goes_on_in_its_folder()
    {
        using var cancellation = new CancellationTokenSource();
        var first = new Steps(progress =>
        {
            if (progress.Step == 3)
                cancellation.Cancel();
        });
        var options = Options with { Steps = 3000, EvalEvery = 1000 };
        var trainer = new ClusterTrainer(Arrays, options)
        {
            Workers = 2,
            Threads = 1,
            Folder = _folder.File("run"),
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trainer.TrainAsync(first, cancellation.Token));

        var second = new Steps();
        var result = await trainer.TrainAsync(second);
        Assert.Equal(new Trainer(Arrays, options).Train().Model.WeightsSha256, result.Model.WeightsSha256);
        Assert.Equal(options.Steps, first.Lines.Count + second.Lines.Count);

        var third = new Steps();
        Assert.Equal(result.Model.WeightsSha256, (await trainer.TrainAsync(third)).Model.WeightsSha256); // as it lies there
        Assert.Empty(third.Lines);
    }

    [Fact]
    public void A_folder_with_another_run_is_refused()
    {
        var folder = _folder.File("run");
        new ClusterTrainer(Arrays, Options) { Workers = 0, Folder = folder }.Train();
        var exception = Assert.Throws<InputException>(() =>
            new ClusterTrainer(Arrays, Options with { Seed = 2 }) { Workers = 0, Folder = folder }.Train()
        );
        Assert.Equal($"{folder}: seed: the run has 1, this command says 2; it cannot change when a run is resumed", exception.Message);
    }

    [Fact]
    public void Every_bad_option_is_named_at_once_and_nothing_is_made()
    {
        var folder = _folder.File("run");
        var exception = Assert.Throws<InputException>(() =>
            new ClusterTrainer(Arrays, Options with { BatchSize = 0, Microbatch = null })
            {
                Workers = 1025,
                Threads = 0,
                JoinTimeout = 0,
                TokenFile = _folder.File("token"),
                Insecure = true,
                Folder = folder,
            }.Train()
        );
        Assert.Equal(
            [
                "TrainingOptions.BatchSize 0: must be from 1 to 1048576",
                "ClusterTrainer.Workers 1025: must be from 0 to 1024",
                "ClusterTrainer.Threads 0: must be from 1 to 1024",
                "ClusterTrainer.JoinTimeout 0: must be at least 1 second",
                "ClusterTrainer.Insecure: contradicts ClusterTrainer.TokenFile; give one of them",
            ],
            exception.Message.Split('\n')
        );
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void A_training_that_diverges_is_a_failed_run()
    {
        var options = Options with { Optimizer = new SgdOptions { LearningRate = 1e30 } };
        var exception = Assert.Throws<RunFailedException>(() => new ClusterTrainer(Arrays, options) { Workers = 2, Threads = 1 }.Train());
        Assert.Contains("step", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_program_throws_reaches_it()
    {
        var mine = new InvalidOperationException("mine");
        var progress = new Each(_ => throw mine);
        Assert.Same(
            mine,
            Assert.Throws<InvalidOperationException>(() => new ClusterTrainer(Arrays, Options) { Workers = 2, Threads = 1 }.Train(progress))
        );
    }

    // The first worker's line names its process.
    private static void Kill(Lines messages)
    {
        var joined = messages.All.First(line => line.StartsWith("worker 1 ", StringComparison.Ordinal));
        var process = joined[(joined.IndexOf("process ", StringComparison.Ordinal) + "process ".Length)..joined.IndexOf(')')];
        System.Diagnostics.Process.GetProcessById(int.Parse(process, System.Globalization.CultureInfo.InvariantCulture)).Kill();
    }

    private class Each(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public virtual void Report(TrainingProgress value) => action(value);
    }

    private sealed class Steps(Action<TrainingProgress>? then = null) : Each(then ?? (_ => { }))
    {
        public List<string> Lines { get; } = [];

        public override void Report(TrainingProgress value)
        {
            Lines.Add($"{value.Step}/{value.TotalSteps} {value.Epoch} {value.Loss:R} {Text(value.Test)} {Text(value.Holdout)}");
            base.Report(value);
        }

        public static string Text(TestScore? score) =>
            score is null ? "-" : $"{score.Loss:R} {string.Join(' ', score.Metrics.Select(metric => $"{metric.Name} {metric.Value:R}"))}";
    }

    private sealed class Lines : IProgress<string>
    {
        public List<string> All { get; } = [];

        public void Report(string value) => All.Add(value);
    }
}
