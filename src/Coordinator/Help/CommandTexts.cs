using Distributed.Coordinator.Options;
using Distributed.Data;

namespace Distributed.Coordinator.Help;

/// <summary>What the help of each command says.</summary>
internal static class CommandTexts
{
    private const string Commands = "Commands";

    internal static HelpText Root { get; } =
        new(
            "coordinator COMMAND [options]",
            "Trains neural networks on the processors of one machine or many.\n"
                + "The weights depend on the options, the data and the seed, and on nothing else: not on the number of workers.",
            [
                new(Commands, "train", "train a model and keep the run in a folder"),
                new(Commands, "verify RUN", "train a run again with another number of workers and compare the weights bit by bit"),
                new(Commands, "eval MODEL", "how well a trained model does: its accuracy, class by class, or its errors"),
                new(Commands, "predict MODEL", "what a trained model says of new samples"),
                new(Commands, "data list", "the data sets that have names, and where they are"),
                new(Commands, "data inspect", "what a data set looks like"),
                new(Commands, "data pack", "turns data into a folder that is trained on without being loaded"),
                new(Commands, "bench allreduce", "what exchanging gradients takes on this machine"),
                new(Commands, "bench scaling", "what training gains from more workers on this machine"),
                new(Commands, "health URL", "whether a running coordinator or worker serves"),
            ],
            [
                ("coordinator train", "train on handwritten digits, a few seconds"),
                ("coordinator train --help", "all options with their defaults"),
            ]
        );

    internal static HelpText Train { get; } =
        new(
            "coordinator train [options]",
            "Trains a model. Without options it trains on handwritten digits that come with the program.",
            HelpText.EntriesOf(TrainOptionTable.Options),
            [
                ("coordinator train", "digits with all defaults"),
                ("coordinator train --data fashion-mnist --epochs 5 --batch-size 256 --workers 2", "images of clothes with two workers"),
                (
                    "coordinator train --data flowers.csv --label-column species --model mlp:64,32",
                    "a table, with two hidden layers of 64 and 32"
                ),
                ("coordinator train --resume --run runs/first --workers 4", "go on with a run that was interrupted, with other workers"),
                (
                    "coordinator train --listen http://0.0.0.0:5000 --token-file run.token --workers 0 --min-workers 3",
                    "wait for three workers on other machines"
                ),
            ]
        );

    internal static HelpText Verify { get; } =
        new(
            "coordinator verify RUN [options]",
            "Trains a complete run again from its config.json, in a temporary folder and with another number of workers,\n"
                + "and compares the weights bit by bit. Exit code 1 and the first step that differs if they are not the same.",
            HelpText.EntriesOf(VerifySettings.Options),
            [("coordinator verify runs/first --workers 5", "compare the run with a training on five workers")]
        );

    internal static HelpText Eval { get; } =
        new(
            "coordinator eval MODEL [options]",
            "Evaluates a trained model, a model.safetensors or a run folder:\nloss, accuracy, precision, recall and f1 of each class, and of two classes the area under the ROC curve (auc);\n"
                + "of one that predicts numbers loss, rmse, mae and r2, in their own units.",
            HelpText.EntriesOf(EvalSettings.Options),
            [
                ("coordinator eval runs/first", "on the test part of the data that it was trained on"),
                ("coordinator eval model.safetensors --data new-flowers.csv --part all", "on every sample of a file"),
                ("coordinator eval runs/first --confusion", "and which classes are taken for which"),
                ("coordinator eval runs/adult --importance 5", "and how much each column of a table counts"),
            ]
        );

    internal static HelpText Predict { get; } =
        new(
            "coordinator predict MODEL --data PATH [options]",
            "Predicts samples with a trained model, a run folder, a checkpoint or a model.safetensors: "
                + "one row each, in the order of the input,\n"
                + "with the class and the probability of every class, or the predicted numbers in their own units. "
                + "Columns of a CSV file are found by name where both it and the model have names.",
            HelpText.EntriesOf(PredictSettings.Options),
            [
                ("coordinator predict runs/first --data new-flowers.csv", "a table, with or without the column of the classes"),
                (
                    "coordinator predict model.safetensors --data - --format jsonl --out answers.jsonl < new-flowers.csv",
                    "from a pipe to a file"
                ),
            ]
        );

    internal static HelpText Data { get; } =
        new(
            "coordinator data list|inspect|pack [options]",
            "Shows what there is to train on, and packs it.",
            [
                new(Commands, "list", "the data sets that have names, and where they are"),
                new(Commands, "inspect", "what a data set looks like"),
                new(Commands, "pack", "turns data into a folder that is trained on without being loaded"),
            ],
            [("coordinator data inspect --data digits", "samples, classes and values")]
        );

    internal static HelpText DataList { get; } =
        new(
            "coordinator data list [--data-dir DIR]",
            "Lists the data sets that have names, where they are, or how to get them.",
            HelpText.EntriesOf(ListOptions),
            [("coordinator data list --data-dir /srv/data", "look there, too")]
        );

    internal static HelpText DataInspect { get; } =
        new(
            "coordinator data inspect [options]",
            "Loads data as train would, checks it, and shows samples, classes or numbers to predict, and values.",
            HelpText.EntriesOf(DataOptionTable.Options),
            [("coordinator data inspect --data flowers.csv --label-column species", "check a table before training on it")]
        );

    /// <summary>The options of <c>data pack</c>, whose source is no option.</summary>
    internal static IReadOnlyList<OptionSpec<DataOptions>> PackOptions { get; } =
    [.. DataOptionTable.Options.Where(option => option.Name != "--data")];

    internal static HelpText DataPack { get; } =
        new(
            "coordinator data pack SOURCE DIR [options]",
            "Packs data into a new folder, whose samples are read where they lie: memory need not hold them all. "
                + "It has the same SHA-256, and trains the same weights.",
            HelpText.EntriesOf(PackOptions),
            [
                ("coordinator data pack sales.csv packed --label-column price", "pack a table"),
                ("coordinator train --data packed --shuffle-block 65536", "train on it, in an order that disks read fast"),
            ]
        );

    internal static HelpText Bench { get; } =
        new(
            "coordinator bench allreduce|scaling [options]",
            "Measures training and parts of it on this machine.",
            [
                new(Commands, "allreduce", "what exchanging gradients takes"),
                new(Commands, "scaling", "what training gains from more workers"),
            ],
            [("coordinator bench allreduce", "two workers, vectors of three sizes")]
        );

    internal static HelpText BenchAllReduce { get; } =
        new(
            "coordinator bench allreduce [options]",
            "Starts workers that sum vectors as training sums gradients, and shows what that takes beside a copy in memory.",
            HelpText.EntriesOf(BenchSettings.Options),
            [
                ("coordinator bench allreduce", "two workers, vectors of three sizes"),
                (
                    "coordinator bench allreduce --workers 4 --sizes 1,100 --transport grpc",
                    "four workers that could be on different machines"
                ),
            ]
        );

    internal static HelpText BenchScaling { get; } =
        new(
            "coordinator bench scaling [options]",
            "Trains as train does, with several numbers of workers in turn, each worker with a batch of the same size,\n"
                + "and shows what more workers bring beside what this machine allows. Nothing is kept.",
            HelpText.EntriesOf(ScalingSettings.Options),
            [
                ("coordinator bench scaling", "digits with all defaults"),
                (
                    "coordinator bench scaling --data fashion-mnist --model cnn --batch-per-worker 64 --transport grpc",
                    "images, as if the workers were on different machines"
                ),
            ]
        );

    internal static HelpText Health { get; } =
        new(
            "coordinator health URL",
            "Asks a running coordinator or worker whether it serves: exit code 0 if it does, 1 if not.",
            [],
            [("coordinator health http://127.0.0.1:5000", "for a container's health check")]
        );

    /// <summary>The one option of <c>data list</c>.</summary>
    internal static IReadOnlyList<OptionSpec<DataOptions>> ListOptions =>
        [DataOptionTable.Options.Single(option => option.Name == "--data-dir")];
}
