namespace Distributed.Data.Tables;

/// <summary>Makes datasets of tables.</summary>
internal static class TableDataset
{
    /// <summary>Fits the preprocessing on the training part and applies it to all parts.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="source">The training set, or both sets.</param>
    /// <param name="options">How to read.</param>
    /// <param name="openTest">Opens the test set, of the same columns; null to hold back every fifth row.</param>
    /// <param name="openHoldout">Opens what is held out, where that is a set of its own.</param>
    /// <exception cref="InputException">A table is bad, nothing can be learnt from a column, or a value does not fit.</exception>
    public static Dataset Create(
        string name,
        TableSource source,
        DataOptions options,
        Func<TableSource>? openTest,
        Func<TableSource>? openHoldout = null
    )
    {
        var layout = TableLayout.Detect(source, options);
        var split = RowSplit.Of(options, holdsTest: openTest is null);
        var train = TableReader.ReadTraining(source, layout, options, split);
        var columns = layout.Names;
        var workspace = source.Workspace;
        var trainRows = split.Rows(DataPart.Train, train.RowCount, workspace);
        var task = TaskChoice.Of(options.Task, train.Targets, trainRows.Span, workspace);
        if (task.Task == LearningTask.Classification && train.Labels.AreNumbers)
        {
            train.Free();
            train = TableReader.ReadTraining(source, layout, options with { Task = task.Task }, split);
        }

        var classNames = task.Task == LearningTask.Classification ? train.Labels.ClassNames() : [];
        var numbers = task.Task == LearningTask.Regression ? train.Numbers() : [];
        split.RequireEnough(train.RowCount, train.Path);
        var preprocessing = TableFit.Of(train, trainRows, options.Standardize, new GapTexts(options.MissingTexts));
        var targets =
            numbers.Count == 0
                ? null
                : TargetStandardization.Fit(
                    columns?.Targets ?? TargetStandardization.Numbered(train.Targets.Count),
                    numbers,
                    trainRows.Span
                );
        var shape = new SampleShape(1, 1, preprocessing.SampleLength(train.Columns.Count));
        var testTable = Read(openTest);
        var heldTable = Read(openHoldout);
        if (train.Weights.Length > 0 && AreZero(train.Weights.Span, trainRows.Span))
            throw FileErrors.In(train.Path, "every weight of the training part is 0: there is nothing to learn; see --weight-column");
        var trainSet = Store(DataPart.Train, train, trainRows);
        var testSet = Store(DataPart.Test, testTable ?? train, RowsOf(DataPart.Test, testTable));
        var heldSet =
            heldTable is null && split.Fraction == 0
                ? null
                : Store(DataPart.Holdout, heldTable ?? train, RowsOf(DataPart.Holdout, heldTable));
        return new Dataset(name, train.Path, shape, classNames, preprocessing, trainSet, testSet, targets, heldSet)
        {
            Columns = columns,
            Report = options.WantsReport ? TableReport.Of(train, trainRows, preprocessing) with { Task = task.Reason } : null,
        };

        RawTable? Read(Func<TableSource>? open) =>
            open is null
                ? null
                : TableReader.ReadLabelled(
                    open(),
                    TableColumns.Of(train.Path, layout),
                    preprocessing,
                    task.Task,
                    options with
                    {
                        LabelColumn = null,
                    }
                );

        ReadOnlyMemory<int> RowsOf(DataPart part, RawTable? own) =>
            own is null ? split.Rows(part, train.RowCount, workspace) : AllRows(own, workspace);

        SampleSet Store(DataPart part, RawTable table, ReadOnlyMemory<int> rows)
        {
            // What judges counts alike, whatever its file says.
            Func<int, float>? weightOf =
                train.Weights.Length == 0 ? null
                : part == DataPart.Train ? row => train.Weights.Span[row]
                : _ => 1;
            var stored = new TableTargets(table, classNames, "the training set", targets, weightOf);
            var samples = new TableSamples(table, rows, preprocessing, stored.Width, stored.Encode);
            return SampleSet.Store(new SampleDecoder(preprocessing, shape), samples, part, workspace);
        }
    }

    /// <summary>All rows of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="workspace">Where their numbers are put.</param>
    public static ReadOnlyMemory<int> AllRows(RawTable table, Workspace workspace) =>
        new RowSplit(HoldsTest: false).Rows(DataPart.Train, table.RowCount, workspace);

    private static bool AreZero(ReadOnlySpan<float> weights, ReadOnlySpan<int> rows)
    {
        foreach (var row in rows)
        {
            if (weights[row] != 0)
                return false;
        }

        return true;
    }
}
