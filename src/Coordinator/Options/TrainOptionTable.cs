using System.Globalization;
using System.Text.Json;
using Distributed.Coordinator.Dashboard;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Options;

/// <summary>The options of <c>train</c>, in the order of its help.</summary>
internal static class TrainOptionTable
{
    private static readonly TrainingOptions Defaults = new();
    private static readonly TrainingOptions Tables = TrainingOptions.ForTables;

    internal static IReadOnlyList<OptionSpec<TrainSettings>> Options { get; } =
    [
        .. DataOptionTable
            .Options.Select(option =>
                option.Within<TrainingOptions>(
                    training => training.Data,
                    (training, data) => training with { Data = data },
                    nameof(TrainingOptions.Data)
                )
            )
            .Select(Training),
        .. ModelOptions().Select(Training),
        .. LengthOptions().Select(Training),
        .. OptimizerSpecs().Select(Training),
        .. ScheduleSpecs().Select(Training),
        .. ClusterOptionTable.Options.Select(option =>
            option.Within<TrainSettings>(settings => settings.Cluster, (settings, cluster) => settings with { Cluster = cluster })
        ),
        .. FolderOptions(),
        .. DisplayOptions.Options.Select(option =>
            option.Within<TrainSettings>(settings => settings.Display, (settings, display) => settings with { Display = display })
        ),
        DashboardOptions.Option.Within<TrainSettings>(
            settings => settings.Dashboard,
            (settings, dashboard) => settings with { Dashboard = dashboard }
        ),
    ];

    /// <summary>The same options as a table.</summary>
    internal static OptionTable<TrainSettings> Table { get; } = new(Options);

    private static OptionSpec<TrainSettings> Training(OptionSpec<TrainingOptions> option) =>
        option.Within<TrainSettings>(settings => settings.Training, (settings, training) => settings with { Training = training });

    private static IEnumerable<OptionSpec<TrainingOptions>> ModelOptions() =>
        [
            new(
                "--model",
                "MODEL",
                OptionGroups.Model,
                "mlp (two hidden layers of 512), mlp:H1,H2,.. (hidden layers of these sizes), "
                    + "cnn or resnet8 (for images), table (for rows of numbers and categories), or a file that lists the layers",
                $"{Defaults.Model}; {Tables.Model} for tables",
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
                Text($"{TrainingOptions.DefaultEpochs}; {Tables.Epochs} for --model {Tables.Model}"),
                "20",
                (options, text) => options with { Epochs = OptionText.WholeNumber<int>(text) },
                nameof(TrainingOptions.Epochs)
            ),
            new(
                "--steps",
                "S",
                OptionGroups.Training,
                "the length of the run in steps, instead of --epochs",
                "from --epochs",
                "1000",
                (options, text) => options with { Steps = OptionText.WholeNumber<long>(text) },
                nameof(TrainingOptions.Steps)
            ),
            new(
                "--batch-size",
                "B",
                OptionGroups.Training,
                "samples of a step, over all workers together",
                Text($"{Defaults.BatchSize}; {Tables.BatchSize} for --model {Tables.Model}"),
                "256",
                (options, text) => options with { BatchSize = OptionText.WholeNumber<int>(text) },
                nameof(TrainingOptions.BatchSize)
            ),
            new(
                "--microbatch",
                "M",
                OptionGroups.Training,
                "samples that are summed one after the other; the unit that is shared out to workers, and part of what decides the result",
                $"{Text(TrainingOptions.DefaultMicrobatch)}, or the batch size if that is less",
                "16",
                (options, text) => options with { Microbatch = OptionText.WholeNumber<int>(text) },
                nameof(TrainingOptions.Microbatch)
            ),
            new(
                "--no-shuffle",
                null,
                OptionGroups.Training,
                "take samples in file order in every epoch",
                "off",
                "",
                (options, text) => options with { Shuffle = !OptionText.Switch(text) },
                nameof(TrainingOptions.Shuffle)
            ),
            new(
                "--shuffle-block",
                "N",
                OptionGroups.Training,
                "shuffle blocks of N consecutive samples, and the samples of each: batches lie together, which disks read faster",
                "all samples",
                "65536",
                (options, text) => options with { ShuffleBlock = OptionText.WholeNumber<int>(text) },
                nameof(TrainingOptions.ShuffleBlock)
            ),
            new(
                "--label-smoothing",
                "X",
                OptionGroups.Training,
                "the part of each training target that is spread over all classes alike; evaluation reports the loss without it",
                Text(Defaults.LabelSmoothing),
                "0.1",
                (options, text) => options with { LabelSmoothing = OptionText.Number(text) },
                nameof(TrainingOptions.LabelSmoothing)
            ),
            new(
                "--class-weights",
                $"{ClassWeights.Balanced}|W,W,..",
                OptionGroups.Training,
                "how much the loss of a training sample counts by its class: as if all classes were equally frequent, or a weight for each "
                    + "class in their order; evaluation counts all samples alike",
                "all alike",
                ClassWeights.Balanced.ToString(),
                (options, text) => options with { ClassWeights = Weights(text) },
                nameof(TrainingOptions.ClassWeights)
            ),
            new(
                "--loss",
                OptionText.Choices<RegressionLoss>(),
                OptionGroups.Training,
                "what is minimised where numbers are predicted, standardised by their mean and deviation over the training part; "
                    + "classes have the cross-entropy",
                OptionText.Name(RegressionLoss.Squared),
                OptionText.Name(RegressionLoss.Huber),
                (options, text) => options with { Loss = OptionText.Choice<RegressionLoss>(text) },
                nameof(TrainingOptions.Loss)
            ),
            new(
                "--huber-delta",
                "X",
                OptionGroups.Training,
                "from which error on, in deviations of the target, a Huber loss is a straight line",
                Text(TrainingOptions.DefaultHuberDelta),
                "0.5",
                (options, text) => options with { HuberDelta = OptionText.Number(text) },
                nameof(TrainingOptions.HuberDelta)
            ),
            new(
                "--eval-every",
                "N",
                OptionGroups.Training,
                "steps from one evaluation on the test set, and on what is held out, to the next",
                "an epoch",
                "100",
                (options, text) => options with { EvalEvery = OptionText.WholeNumber<long>(text) },
                nameof(TrainingOptions.EvalEvery)
            ),
            new(
                "--patience",
                "N",
                OptionGroups.Training,
                "stop when the loss over --holdout has not been lower for this many evaluations in a row; the weights of the best one are the model",
                "train to the end",
                "5",
                (options, text) => options with { Patience = OptionText.WholeNumber<int>(text) },
                nameof(TrainingOptions.Patience)
            ),
        ];

    private static ClassWeights Weights(string text) =>
        text == ClassWeights.Balanced.ToString() ? ClassWeights.Balanced
        : text.Split(',').Select(Weight).ToList() is var weights && !weights.Contains(null) ? ClassWeights.Of([.. weights.OfType<double>()])
        : throw new InputException($"must be {ClassWeights.Balanced}, or a number for each class, such as 1,2.5");

    private static double? Weight(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) ? weight : null;

    private static IEnumerable<OptionSpec<TrainingOptions>> OptimizerSpecs()
    {
        IReadOnlyList<OptionSpec<OptimizerOptions>> options =
        [
            new(
                "--optimizer",
                string.Join('|', OptimizerOptions.Known.Select(known => known.Name)),
                OptionGroups.Training,
                "the rule that changes the weights",
                Defaults.Optimizer.Name,
                "adamw",
                (options, text) => Choose(options, OptionText.Choice(text, OptimizerOptions.Known, known => known.Name))
            ),
            new(
                "--learning-rate",
                "X",
                OptionGroups.Training,
                "the highest learning rate, which the schedule scales",
                string.Join(", ", OptimizerOptions.Known.Select(known => $"{Text(known.LearningRate)} for {known.Name}")),
                "0.01",
                (options, text) => options with { LearningRate = OptionText.Number(text) },
                nameof(OptimizerOptions.LearningRate)
            ),
            .. OptimizerOptions.Known.SelectMany(known => known.Constants).GroupBy(constant => constant.Property).Select(ConstantSpec),
            new(
                "--weight-decay",
                "X",
                OptionGroups.Training,
                "the pull of every weight towards 0",
                Text(Defaults.Optimizer.WeightDecay),
                "0.0005",
                (options, text) => options with { WeightDecay = OptionText.Number(text) },
                nameof(OptimizerOptions.WeightDecay)
            ),
            new(
                "--clip-norm",
                "X",
                OptionGroups.Training,
                "the largest norm of the gradient, which is scaled down to it",
                "no limit",
                "1",
                (options, text) => options with { ClipNorm = OptionText.Number(text) },
                nameof(OptimizerOptions.ClipNorm)
            ),
        ];
        return options.Select(option =>
            option.Within<TrainingOptions>(
                training => training.Optimizer,
                (training, optimizer) => training with { Optimizer = optimizer },
                nameof(TrainingOptions.Optimizer)
            )
        );
    }

    /// <summary>
    /// The option of a constant that some optimizers have: <c>--beta1</c> for <c>Beta1</c>. Each optimizer may describe a constant of one
    /// name in its own way, with a default of its own.
    /// </summary>
    /// <param name="constants">All that have the name.</param>
    private static OptionSpec<OptimizerOptions> ConstantSpec(IGrouping<string, OptimizerConstant> constants)
    {
        OptimizerOptions[] owners = [.. OptimizerOptions.Known.Where(known => OwnOf(known) is not null)];
        var names = string.Join(" or ", owners.Select(owner => owner.Name));
        var first = constants.First();
        return new(
            $"--{JsonNamingPolicy.KebabCaseLower.ConvertName(constants.Key)}",
            first.IsSwitch ? null : "X",
            OptionGroups.Training,
            string.Join("; ", constants.Select(constant => constant.Help).Distinct()),
            Default(),
            first.Example ?? "",
            (options, text) =>
                OwnOf(options) is { } own
                    ? own.Set(options, own.IsSwitch ? OptionText.Switch(text) : OptionText.Number(text))
                    : throw new InputException($"belongs to --optimizer {names}, not to {options.Name}"),
            constants.Key
        );

        OptimizerConstant? OwnOf(OptimizerOptions options) =>
            options.Constants.FirstOrDefault(constant => constant.Property == constants.Key);

        string Default()
        {
            string[] defaults = [.. owners.Select(owner => Shown(OwnOf(owner)!.Get(owner)!))];
            return defaults.Distinct().Count() == 1
                ? defaults[0]
                : string.Join(", ", defaults.Zip(owners, (value, owner) => $"{value} for {owner.Name}"));
        }
    }

    private static string Shown(object constant) => constant is bool isOn ? (isOn ? "on" : "off") : Text((double)constant);

    /// <summary>
    /// The chosen optimizer with the settings that all share; a default learning rate becomes the default of the chosen one.
    /// </summary>
    private static OptimizerOptions Choose(OptimizerOptions before, OptimizerOptions chosen) =>
        chosen.Name == before.Name
            ? before
            : chosen with
            {
                LearningRate =
                    before.LearningRate == OptimizerOptions.Find(before.Name)!.LearningRate ? chosen.LearningRate : before.LearningRate,
                WeightDecay = before.WeightDecay,
                ClipNorm = before.ClipNorm,
            };

    private static IEnumerable<OptionSpec<TrainingOptions>> ScheduleSpecs()
    {
        IReadOnlyList<OptionSpec<ScheduleOptions>> options =
        [
            new(
                "--schedule",
                string.Join('|', ScheduleOptions.Known.Select(known => known.Name)),
                OptionGroups.Training,
                "how the learning rate changes: not at all, to a tenth after each third of the run, or along half a cosine to almost 0",
                Defaults.Schedule.Name,
                "constant",
                (options, text) =>
                    OptionText.Choice(text, ScheduleOptions.Known, known => known.Name) with
                    {
                        WarmupSteps = options.WarmupSteps,
                    }
            ),
            new(
                "--warmup-steps",
                "N",
                OptionGroups.Training,
                "steps over which the learning rate rises to its full value",
                Text(Defaults.Schedule.WarmupSteps),
                "100",
                (options, text) => options with { WarmupSteps = OptionText.WholeNumber<long>(text) },
                nameof(ScheduleOptions.WarmupSteps)
            ),
        ];
        return options.Select(option =>
            option.Within<TrainingOptions>(
                training => training.Schedule,
                (training, schedule) => training with { Schedule = schedule },
                nameof(TrainingOptions.Schedule)
            )
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
                "[auto]",
                OptionGroups.Run,
                "go on with the run in --run DIR, with its options; only workers, addresses, places of the same data and a later end may "
                    + "differ. auto begins the run if the folder holds none, so that one command serves the first start and every restart",
                "off",
                "auto",
                (settings, text) =>
                    text == "auto" ? settings with { Resume = true, MayBegin = true } : settings with { Resume = OptionText.Switch(text) }
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
                    (options, text) => options with { CheckpointEvery = OptionText.WholeNumber<long>(text) },
                    nameof(TrainingOptions.CheckpointEvery)
                )
            ),
            new(
                "--keep-checkpoints",
                "K",
                OptionGroups.Run,
                "how many of the newest checkpoints are kept, beside that of the evaluation with the lowest test loss; "
                    + "give it again on --resume",
                Text(new TrainSettings().KeepCheckpoints),
                "10",
                (settings, text) => settings with { KeepCheckpoints = OptionText.WholeNumber<int>(text) }
            ),
        ];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
