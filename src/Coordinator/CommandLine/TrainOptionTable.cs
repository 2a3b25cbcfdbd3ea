using System.Globalization;
using Distributed.Training;

namespace Distributed.Coordinator.CommandLine;

/// <summary>The options of <c>train</c>, in the order of its help.</summary>
internal static class TrainOptionTable
{
    private static readonly TrainingOptions Defaults = new();

    internal static IReadOnlyList<OptionSpec<TrainSettings>> Options { get; } =
    [
        .. DataOptionTable
            .Options.Select(option =>
                option.Within<TrainingOptions>(training => training.Data, (training, data) => training with { Data = data })
            )
            .Select(Training),
        .. ModelOptions().Select(Training),
        .. LengthOptions().Select(Training),
        .. OptimizerOptions().Select(Training),
        .. ScheduleOptions().Select(Training),
        .. ClusterOptionTable.Options.Select(option =>
            option.Within<TrainSettings>(settings => settings.Cluster, (settings, cluster) => settings with { Cluster = cluster })
        ),
        .. FolderOptions(),
        .. DisplayOptionTable.Options.Select(option =>
            option.Within<TrainSettings>(settings => settings.Display, (settings, display) => settings with { Display = display })
        ),
    ];

    private static OptionSpec<TrainSettings> Training(OptionSpec<TrainingOptions> option) =>
        option.Within<TrainSettings>(settings => settings.Training, (settings, training) => settings with { Training = training });

    private static IEnumerable<OptionSpec<TrainingOptions>> ModelOptions() =>
        [
            new(
                "--model",
                "MODEL",
                OptionGroups.Model,
                "mlp (two hidden layers of 512), mlp:H1,H2,.. (hidden layers of these sizes), cnn or resnet8 (for images), or a file that lists the layers",
                Defaults.Model,
                "mlp:256,128",
                (options, text) => options with { Model = OptionText.NotEmpty(text) }
            ),
            new(
                "--init-weights",
                "FILE",
                OptionGroups.Model,
                "a safetensors file with the weights to start from, such as another run's model",
                "drawn from the seed",
                "model.safetensors",
                (options, text) => options with { InitWeights = OptionText.NotEmpty(text) }
            ),
            new(
                "--seed",
                "N",
                OptionGroups.Model,
                "what initial weights and the order of samples are drawn from",
                Text(Defaults.Seed),
                "7",
                (options, text) => options with { Seed = OptionText.WholeNumber<ulong>(text) }
            ),
        ];

    private static IEnumerable<OptionSpec<TrainingOptions>> LengthOptions() =>
        [
            new(
                "--epochs",
                "E",
                OptionGroups.Training,
                "passes over the training set",
                Text(TrainingOptions.DefaultEpochs),
                "20",
                (options, text) => options with { Epochs = OptionText.WholeNumber<int>(text) }
            ),
            new(
                "--steps",
                "S",
                OptionGroups.Training,
                "the length of the run in steps, instead of --epochs",
                "from --epochs",
                "1000",
                (options, text) => options with { Steps = OptionText.WholeNumber<long>(text) }
            ),
            new(
                "--batch-size",
                "B",
                OptionGroups.Training,
                "samples of a step, over all workers together",
                Text(Defaults.BatchSize),
                "256",
                (options, text) => options with { BatchSize = OptionText.WholeNumber<int>(text) }
            ),
            new(
                "--microbatch",
                "M",
                OptionGroups.Training,
                "samples that are summed one after the other; the unit that is shared out to workers, and part of what decides the result",
                $"{Text(TrainingOptions.DefaultMicrobatch)}, or the batch size if that is less",
                "16",
                (options, text) => options with { Microbatch = OptionText.WholeNumber<int>(text) }
            ),
            new("--no-shuffle", null, OptionGroups.Training, "take samples in file order in every epoch", "off", "", (options, text) =>
                options with
                {
                    Shuffle = !OptionText.Switch(text),
                }
            ),
            new(
                "--label-smoothing",
                "X",
                OptionGroups.Training,
                "the part of each training target that is spread over all classes alike; evaluation reports the loss without it",
                Text(Defaults.LabelSmoothing),
                "0.1",
                (options, text) => options with { LabelSmoothing = OptionText.Number(text) }
            ),
            new(
                "--eval-every",
                "N",
                OptionGroups.Training,
                "steps from one evaluation on the test set to the next",
                "an epoch",
                "100",
                (options, text) => options with { EvalEvery = OptionText.WholeNumber<long>(text) }
            ),
        ];

    private static IEnumerable<OptionSpec<TrainingOptions>> OptimizerOptions()
    {
        var defaults = Defaults.Optimizer;
        IReadOnlyList<OptionSpec<OptimizerOptions>> options =
        [
            new(
                "--optimizer",
                OptionText.Choices<OptimizerKind>(),
                OptionGroups.Training,
                "the rule that changes the weights",
                OptionText.Name(defaults.Kind),
                "adamw",
                (options, text) => options with { Kind = OptionText.Choice<OptimizerKind>(text) }
            ),
            new(
                "--learning-rate",
                "X",
                OptionGroups.Training,
                "the highest learning rate, which the schedule scales",
                string.Join(", ", Enum.GetValues<OptimizerKind>().Select(LearningRate)),
                "0.01",
                (options, text) => options with { LearningRate = OptionText.Number(text) }
            ),
            new(
                "--momentum",
                "X",
                OptionGroups.Training,
                "the share of the last direction that sgd keeps",
                Text(defaults.Momentum),
                "0.95",
                (options, text) => options with { Momentum = OptionText.Number(text) }
            ),
            new(
                "--nesterov",
                null,
                OptionGroups.Training,
                "let sgd look ahead along its momentum",
                defaults.Nesterov ? "on" : "off",
                "",
                (options, text) => options with { Nesterov = OptionText.Switch(text) }
            ),
            new(
                "--weight-decay",
                "X",
                OptionGroups.Training,
                "the pull of every weight towards 0",
                Text(defaults.WeightDecay),
                "0.0005",
                (options, text) => options with { WeightDecay = OptionText.Number(text) }
            ),
            new(
                "--clip-norm",
                "X",
                OptionGroups.Training,
                "the largest norm of the gradient, which is scaled down to it",
                "no limit",
                "1",
                (options, text) => options with { ClipNorm = OptionText.Number(text) }
            ),
        ];
        return options.Select(option =>
            option.Within<TrainingOptions>(training => training.Optimizer, (training, optimizer) => training with { Optimizer = optimizer })
        );
    }

    private static IEnumerable<OptionSpec<TrainingOptions>> ScheduleOptions()
    {
        var defaults = Defaults.Schedule;
        IReadOnlyList<OptionSpec<ScheduleOptions>> options =
        [
            new(
                "--schedule",
                OptionText.Choices<ScheduleKind>(),
                OptionGroups.Training,
                "how the learning rate changes: not at all, to a tenth after each third of the run, or along half a cosine to almost 0",
                OptionText.Name(defaults.Kind),
                "constant",
                (options, text) => options with { Kind = OptionText.Choice<ScheduleKind>(text) }
            ),
            new(
                "--warmup-steps",
                "N",
                OptionGroups.Training,
                "steps over which the learning rate rises to its full value",
                Text(defaults.WarmupSteps),
                "100",
                (options, text) => options with { WarmupSteps = OptionText.WholeNumber<long>(text) }
            ),
        ];
        return options.Select(option =>
            option.Within<TrainingOptions>(training => training.Schedule, (training, schedule) => training with { Schedule = schedule })
        );
    }

    private static IEnumerable<OptionSpec<TrainSettings>> FolderOptions() =>
        [
            new(
                "--run",
                "DIR",
                OptionGroups.Run,
                "the folder that will hold the run; it must not hold one already, unless with --resume",
                "runs/<UTC time>-<data>-<model>",
                "runs/first",
                (settings, text) => settings with { Run = OptionText.NotEmpty(text) }
            ),
            new(
                "--resume",
                null,
                OptionGroups.Run,
                "go on with the run in --run DIR, with its options; only workers, addresses and a later end may differ",
                "off",
                "",
                (settings, text) => settings with { Resume = OptionText.Switch(text) }
            ),
            new(
                ConfigurationFile.OptionName,
                "FILE",
                OptionGroups.Run,
                "a JSON file of options, whose keys are their names without dashes; what the command line says wins",
                "none",
                "options.json",
                (settings, text) => settings
            ),
            Training(
                new(
                    "--checkpoint-every",
                    "N",
                    OptionGroups.Run,
                    "steps from one checkpoint to the next; there is always one at the end",
                    "an epoch",
                    "500",
                    (options, text) => options with { CheckpointEvery = OptionText.WholeNumber<long>(text) }
                )
            ),
        ];

    private static string LearningRate(OptimizerKind kind) =>
        $"{Text(new OptimizerOptions { Kind = kind }.ResolvedLearningRate)} for {OptionText.Name(kind)}";

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
