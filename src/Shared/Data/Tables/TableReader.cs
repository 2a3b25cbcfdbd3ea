using System.Text;
using Distributed.Data.Formats;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Reads tables, and finds out what their columns hold.</summary>
internal static class TableReader
{
    /// <summary>Reads a training set, and finds out what its columns hold.</summary>
    /// <param name="source">The table.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <param name="split">Which rows are held back, so that they say nothing about the columns.</param>
    /// <exception cref="InputException">A cell is bad, or a column may be two things.</exception>
    public static RawTable ReadTraining(TableSource source, TableLayout layout, DataOptions options, RowSplit split)
    {
        var rules = new CellRules(source.Dialect, new GapTexts(options.MissingTexts), split, source.Places)
        {
            KeepsLabelTexts = options.Task == LearningTask.Classification,
        };
        var kinds = layout.Kinds(source.Path, options);
        var table = source.Read(layout, kinds, rules, readsLabels: true);
        var found = Decide(table, rules, source.Workspace);
        rules = rules with { KeepsLabelTexts = rules.KeepsLabelTexts || table.LacksTexts };
        if (table.LacksTexts || (found.Contains(ColumnKind.Category) && kinds.Contains(null)))
        {
            table.Free();
            table = source.Read(layout, found, rules, readsLabels: true);
        }

        RequireNumbers(table, rules.Dialect);
        return table;
    }

    /// <summary>Reads rows to predict, with or without labels.</summary>
    /// <param name="source">The table.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <exception cref="InputException">A cell is bad, or the columns are not those that the model takes.</exception>
    public static RawSamples ReadInputs(TableSource source, ModelInputs inputs, DataOptions options)
    {
        var layout = TableLayout.Matching(source, TableColumns.Of(inputs), options);
        return new TableRows(Read(source, layout, inputs.Preprocessing, LearningTask.Regression, readsLabels: false), inputs.Preprocessing);
    }

    /// <summary>Reads rows with labels, in the order of columns that are known.</summary>
    /// <param name="source">The table.</param>
    /// <param name="columns">What a model takes or the training data has.</param>
    /// <param name="preprocessing">Knows what they hold.</param>
    /// <param name="task">What its labels are.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <exception cref="InputException">A cell is bad, or the columns are others.</exception>
    public static RawTable ReadLabelled(
        TableSource source,
        TableColumns columns,
        Preprocessing preprocessing,
        LearningTask task,
        DataOptions options
    )
    {
        var layout = TableLayout.Matching(source, columns, options);
        layout.RequireLabels(source.Path, columns);
        return Read(source, layout, preprocessing, task, readsLabels: true);
    }

    /// <summary>Reads other rows of columns that are known.</summary>
    /// <param name="source">The table.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="preprocessing">Knows what they hold.</param>
    /// <param name="task">What the labels are.</param>
    /// <param name="readsLabels">Whether the column of the labels counts; otherwise it may hold anything.</param>
    /// <exception cref="InputException">A cell is bad.</exception>
    private static RawTable Read(TableSource source, TableLayout layout, Preprocessing preprocessing, LearningTask task, bool readsLabels)
    {
        ColumnKind?[] kinds =
        [
            .. Enumerable
                .Range(0, layout.Features.Count)
                .Select(feature =>
                    (ColumnKind?)(preprocessing.Table?.Columns[feature] is CategoryEncoding ? ColumnKind.Category : ColumnKind.Number)
                ),
        ];
        var rules = new CellRules(source.Dialect, new GapTexts(preprocessing.Table?.Missing), Split: default, source.Places)
        {
            KeepsLabelTexts = task == LearningTask.Classification,
        };
        var table = source.Read(layout, kinds, rules, readsLabels);
        if (table.LacksTexts)
        {
            table.Free();
            table = source.Read(layout, kinds, rules with { KeepsLabelTexts = true }, readsLabels);
        }

        RequireNumbers(table, rules.Dialect);
        return table;
    }

    private static ColumnKind?[] Decide(RawTable table, CellRules rules, Workspace workspace)
    {
        var trainRows = rules.Split.Rows(DataPart.Train, table.RowCount, workspace);
        List<string> problems = [];
        var kinds = new ColumnKind?[table.Columns.Count];
        for (var column = 0; column < kinds.Length; column++)
        {
            string? problem = null;
            kinds[column] = table.Columns[column].Kind
                ?? ColumnKinds.Decide(table.Columns[column], trainRows.Span, rules, workspace, out problem);
            if (problem is not null)
                problems.Add($"{table.Names[column]}: {problem}");
        }

        workspace.Free(trainRows);
        return problems.Count == 0 ? kinds : throw FileErrors.AllIn(table.Path, problems);
    }

    private static void RequireNumbers(RawTable table, CsvDialect dialect)
    {
        List<InputException> problems = [];
        foreach (var (column, name) in table.Columns.Zip(table.Names))
        {
            if (column is not { Kind: not ColumnKind.Category, Intruder: var (text, place) })
                continue;
            var hint = dialect.WouldBeNumber(Encoding.UTF8.GetBytes(text)) ? "; if it has a decimal comma, say --decimal-comma on" : "";
            problems.Add(table.Places.Refuse(place, $"{name}: '{CsvText.Shorten(text)}' is not a number{hint}"));
        }

        if (problems.Count > 0)
            throw FileErrors.All(problems);
    }
}
