using Distributed.Data;
using Distributed.Data.Formats;

namespace Distributed.Coordinator.Options;

/// <summary>The options that name data; several commands share them.</summary>
internal static class DataOptionTable
{
    private static readonly DataOptions Defaults = new();

    /// <summary>Those that say where data lies, and not how it is read.</summary>
    internal static IReadOnlyList<OptionSpec<DataOptions>> Places =>
        [.. Options.Where(option => option.Name is "--data" or "--test" or "--holdout" or "--data-dir")];

    internal static IReadOnlyList<OptionSpec<DataOptions>> Options { get; } =
    [
        new(
            "--data",
            "NAME|PATH",
            OptionGroups.Data,
            $"digits, fashion-mnist, or the path of {DataFormat.Summaries}, as a file or a folder",
            Defaults.Data,
            "flowers.csv",
            (options, text) => options with { Data = OptionText.NotEmpty(text) }
        ),
        new(
            "--test",
            "PATH",
            OptionGroups.Data,
            "the test set, where it is a file of its own",
            "the folder's own, else every fifth sample",
            "flowers-test.csv",
            (options, text) => options with { Test = OptionText.NotEmpty(text) }
        ),
        new(
            "--holdout",
            "FRACTION|PATH",
            OptionGroups.Data,
            "what judges the training while it goes on, apart from the test set: a fraction of the training part, in rows spread evenly, or a "
                + "file; it is not trained on, and nothing is fitted on it",
            "none",
            "0.1",
            (options, text) => options with { Holdout = Holdout.Parse(OptionText.NotEmpty(text)).ToString() },
            nameof(DataOptions.Holdout)
        ),
        new(
            "--data-dir",
            "DIR",
            OptionGroups.Data,
            "a folder to look for data sets in",
            "the system's usual places",
            "/srv/data",
            (options, text) => options with { DataDir = OptionText.NotEmpty(text) }
        ),
        new(
            "--label-column",
            "NAME|INDEX[,..]",
            OptionGroups.Data,
            "the column of a table that holds the labels, by name or counted from 0; of numbers to predict there may be several, with commas "
                + "between them",
            "the last column",
            "species",
            (options, text) => options with { LabelColumn = OptionText.NotEmpty(text) }
        ),
        new(
            "--task",
            $"auto|{OptionText.Choices<LearningTask>()}",
            OptionGroups.Data,
            "whether that column holds classes or numbers to predict; auto decides by its values",
            "auto",
            OptionText.Name(LearningTask.Regression),
            (options, text) => options with { Task = text == "auto" ? null : Task(text) },
            nameof(DataOptions.Task)
        ),
        new(
            "--header",
            "on|off",
            OptionGroups.Data,
            "whether the first row of a CSV file names the columns",
            "detected",
            "off",
            (options, text) => options with { Header = OptionText.OnOff(text) }
        ),
        new(
            "--decimal-comma",
            "on|off",
            OptionGroups.Data,
            "whether numbers of a CSV file are written with a decimal comma, between other separators",
            Defaults.DecimalComma ? "on" : "off",
            "on",
            (options, text) => options with { DecimalComma = OptionText.OnOff(text) }
        ),
        new(
            "--categorical",
            "COLUMNS",
            OptionGroups.Data,
            "the columns of a table whose values are categories, by name or index, with commas between them",
            "those that hold text",
            "postcode,color",
            (options, text) => options with { Categorical = OptionText.NotEmpty(text) }
        ),
        new(
            "--numeric",
            "COLUMNS",
            OptionGroups.Data,
            "the columns of a table whose values are numbers; text in them is refused",
            "those that hold numbers",
            "age,income",
            (options, text) => options with { Numeric = OptionText.NotEmpty(text) }
        ),
        new("--ignore", "COLUMNS", OptionGroups.Data, "the columns of a table that are left out", "none", "id,name", (options, text) =>
            options with
            {
                Ignore = OptionText.NotEmpty(text),
            }
        ),
        new(
            "--missing",
            "TEXTS",
            OptionGroups.Data,
            "the texts that stand for missing values of a table, with commas between them; an empty cell always does",
            "?,NA,N/A,NaN,null",
            "-999,unknown",
            (options, text) => options with { Missing = OptionText.NotEmpty(text) }
        ),
        new(
            "--weight-column",
            "NAME|INDEX",
            OptionGroups.Data,
            "the column of a table that says how much the loss of each training sample counts, at least 0; it is no feature, and evaluation "
                + "counts all samples alike",
            "all alike",
            "weight",
            (options, text) => options with { WeightColumn = OptionText.NotEmpty(text) }
        ),
        new(
            "--standardize",
            "on|off",
            OptionGroups.Data,
            "bring the columns of a table to mean 0 and deviation 1 over the training part",
            Defaults.Standardize ? "on" : "off",
            "off",
            (options, text) => options with { Standardize = OptionText.OnOff(text) }
        ),
    ];

    private static LearningTask Task(string text) =>
        Enum.GetValues<LearningTask>().Any(task => OptionText.Name(task) == text)
            ? OptionText.Choice<LearningTask>(text)
            : throw new InputException($"must be auto or {OptionText.Choices<LearningTask>(" or ")}");
}
