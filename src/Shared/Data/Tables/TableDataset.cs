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
        var trainRows = split.Rows(DataPart.Train, train.RowCount);
        var task = TaskChoice.Of(options.Task, train.Targets, trainRows);
        if (task.Task == LearningTask.Classification && train.Labels.AreNumbers)
            train = TableReader.ReadTraining(source, layout, options with { Task = task.Task }, split);
        var classNames = task.Task == LearningTask.Classification ? train.Labels.ClassNames() : [];
        var numbers = task.Task == LearningTask.Regression ? train.Numbers() : [];
        split.RequireEnough(train.RowCount, train.Path);
        var preprocessing = TableFit.Of(train, trainRows, options.Standardize, new GapTexts(options.MissingTexts));
        var targets =
            numbers.Length == 0
                ? null
                : TargetStandardization.Fit(columns?.Targets ?? TargetStandardization.Numbered(train.Targets.Count), numbers, trainRows);
        var testTable = Read(openTest);
        var heldTable = Read(openHoldout);
        if (train.Weights.Length > 0 && trainRows.All(row => train.Weights[row] == 0))
            throw FileErrors.In(train.Path, "every weight of the training part is 0: there is nothing to learn; see --weight-column");
        var trainSet = Select(train, trainRows, row => train.Weights[row]);
        var testSet = testTable is null ? Select(train, split.Rows(DataPart.Test, train.RowCount)) : Select(testTable, AllRows(testTable));
        var heldSet =
            heldTable is not null ? Select(heldTable, AllRows(heldTable))
            : split.Fraction > 0 ? Select(train, split.Rows(DataPart.Holdout, train.RowCount))
            : null;
        var shape = new SampleShape(1, 1, preprocessing.SampleLength(train.Columns.Count));
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

        // What judges counts alike, whatever its file says.
        SampleSet Select(RawTable table, int[] rows, Func<int, float>? weightOf = null)
        {
            var samples = Samples(table, rows, preprocessing, classNames, "the training set", targets);
            return train.Weights.Length == 0 ? samples : samples.WithWeights([.. rows.Select(weightOf ?? (_ => 1))]);
        }
    }

    /// <summary>Chosen rows with their targets.</summary>
    /// <param name="table">The table.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="preprocessing">What was fitted on a training part.</param>
    /// <param name="classNames">Its classes, where classes are predicted.</param>
    /// <param name="owner">Whose classes they are.</param>
    /// <param name="targets">Its numbers, where numbers are predicted.</param>
    /// <exception cref="InputException">A target is not like those of the training part, or a value does not fit.</exception>
    public static SampleSet Samples(
        RawTable table,
        int[] rows,
        Preprocessing preprocessing,
        IReadOnlyList<string> classNames,
        string owner,
        NumericTargets? targets
    )
    {
        var decoder = new SampleDecoder(preprocessing, new SampleShape(1, 1, preprocessing.SampleLength(table.Columns.Count)));
        var features = new TableRows(table, preprocessing).Store(rows);
        if (targets is null)
        {
            var classes = table.Labels.IndicesIn(classNames, owner);
            return new SampleSet(decoder, Array.ConvertAll(rows, row => classes[row]), features);
        }

        var numbers = TargetStandardization.Store(table.Path, table.Numbers(), targets, rows);
        return new SampleSet(decoder, numbers, features, targets.Count);
    }

    /// <summary>All rows of a table.</summary>
    public static int[] AllRows(RawTable table) => [.. Enumerable.Range(0, table.RowCount)];
}
