namespace Distributed.Data.Tables;

/// <summary>Makes datasets of tables.</summary>
internal static class TableDataset
{
    /// <summary>Fits the preprocessing on the training part and applies it to both parts.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="train">The training set, or both sets.</param>
    /// <param name="columns">The names of the columns; null if they have none.</param>
    /// <param name="options">How to read.</param>
    /// <param name="readTest">Reads the test set, of the same columns; null to hold back every fifth row.</param>
    /// <exception cref="InputException">Nothing can be learnt from a column, or a value does not fit.</exception>
    public static Dataset Create(
        string name,
        RawTable train,
        ColumnNames? columns,
        DataOptions options,
        Func<Preprocessing, RawTable>? readTest
    )
    {
        var classNames = train.Labels.ClassNames();
        var (trainRows, testRows) = readTest is null ? TestSplit.EveryFifth(train.RowCount, train.Path) : (AllRows(train), []);
        var preprocessing = TableFit.Of(train, trainRows, options.Standardize, new GapTexts(options.MissingTexts));
        var test = readTest?.Invoke(preprocessing);
        var shape = new SampleShape(1, 1, preprocessing.SampleLength(train.Columns.Count));
        var decoder = new SampleDecoder(preprocessing, shape);
        var trainSet = Select(train, trainRows);
        var testSet = test is null ? Select(train, testRows) : Select(test, AllRows(test));
        return new Dataset(name, train.Path, shape, classNames, preprocessing, trainSet, testSet)
        {
            Columns = columns,
            Report = TableReport.Of(train, trainRows, preprocessing),
        };

        SampleSet Select(RawTable table, int[] rows)
        {
            var classes = table.Labels.IndicesIn(classNames, "the training set");
            return new SampleSet(decoder, Array.ConvertAll(rows, row => classes[row]), new TableRows(table, preprocessing).Store(rows));
        }
    }

    /// <summary>The rows that are trained on, of any table.</summary>
    /// <param name="table">The training set, or both sets.</param>
    /// <param name="holdsTest">Whether every fifth row is held back.</param>
    public static int[] TrainRows(RawTable table, bool holdsTest) =>
        [.. Enumerable.Range(0, table.RowCount).Where(row => !holdsTest || !TestSplit.IsTest(row))];

    /// <summary>All rows of a table.</summary>
    public static int[] AllRows(RawTable table) => [.. Enumerable.Range(0, table.RowCount)];
}
