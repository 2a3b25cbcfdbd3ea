namespace Distributed.Data.Tables;

/// <summary>Makes datasets of tables.</summary>
internal static class TableDataset
{
    /// <summary>Fits the preprocessing on the training part and applies it to both parts.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="source">The training set, or both sets.</param>
    /// <param name="options">How to read.</param>
    /// <param name="openTest">Opens the test set, of the same columns; null to hold back every fifth row.</param>
    /// <exception cref="InputException">A table is bad, nothing can be learnt from a column, or a value does not fit.</exception>
    public static Dataset Create(string name, TableSource source, DataOptions options, Func<TableSource>? openTest)
    {
        var layout = TableLayout.Detect(source, options);
        var train = TableReader.ReadTraining(source, layout, options, holdsTest: openTest is null);
        var columns = layout.Names;
        var task = TaskChoice.Of(options.Task, train.Labels, TrainRows(train, holdsTest: openTest is null));
        if (task.Task == LearningTask.Classification && train.Labels.AreNumbers)
            train = TableReader.ReadTraining(source, layout, options with { Task = task.Task }, holdsTest: openTest is null);
        var classNames = task.Task == LearningTask.Classification ? train.Labels.ClassNames() : [];
        var numbers = task.Task == LearningTask.Regression ? train.Labels.Numbers() : [];
        var (trainRows, testRows) = openTest is null ? TestSplit.EveryFifth(train.RowCount, train.Path) : (AllRows(train), []);
        var preprocessing = TableFit.Of(train, trainRows, options.Standardize, new GapTexts(options.MissingTexts));
        var targets = numbers.Length == 0 ? null : TargetStandardization.Fit([columns?.Target ?? "target"], numbers, trainRows);
        var test = openTest is null
            ? null
            : TableReader.ReadLabelled(
                openTest(),
                TableColumns.Of(train.Path, layout),
                preprocessing,
                task.Task,
                options with
                {
                    LabelColumn = null,
                }
            );
        var trainSet = Select(train, trainRows);
        var testSet = test is null ? Select(train, testRows) : Select(test, AllRows(test));
        var shape = new SampleShape(1, 1, preprocessing.SampleLength(train.Columns.Count));
        return new Dataset(name, train.Path, shape, classNames, preprocessing, trainSet, testSet, targets)
        {
            Columns = columns,
            Report = TableReport.Of(train, trainRows, preprocessing) with { Task = task.Reason },
        };

        SampleSet Select(RawTable table, int[] rows) => Samples(table, rows, preprocessing, classNames, "the training set", targets);
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

        var numbers = TargetStandardization.Store(table.Path, table.Labels.Numbers(), targets, rows);
        return new SampleSet(decoder, numbers, features, targets.Count);
    }

    /// <summary>The rows that are trained on, of any table.</summary>
    /// <param name="table">The training set, or both sets.</param>
    /// <param name="holdsTest">Whether every fifth row is held back.</param>
    public static int[] TrainRows(RawTable table, bool holdsTest) =>
        [.. Enumerable.Range(0, table.RowCount).Where(row => !holdsTest || !TestSplit.IsTest(row))];

    /// <summary>All rows of a table.</summary>
    public static int[] AllRows(RawTable table) => [.. Enumerable.Range(0, table.RowCount)];
}
