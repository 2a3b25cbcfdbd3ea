namespace Distributed.Data;

/// <summary>Makes a dataset of CSV files: each row is a feature vector and a label.</summary>
internal static class CsvDataset
{
    /// <summary>Reads a dataset.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="path">The file of the training set, or of both sets.</param>
    /// <param name="testPath">The file of the test set; null to hold back every fifth row.</param>
    /// <param name="options">Which column holds the labels, whether there is a header, whether to standardise.</param>
    /// <exception cref="InputException">A file is bad, or the two do not go together.</exception>
    public static Dataset Read(string name, string path, string? testPath, DataOptions options)
    {
        var train = CsvTable.Read(path, options.LabelColumn, options.Header);
        var test = testPath is null ? train : CsvTable.Read(testPath, options.LabelColumn, options.Header);
        RequireSameColumns(train, test);
        var classNames = train.Labels.ClassNames();
        var (trainRows, testRows) = testPath is null ? TestSplit.EveryFifth(train.Labels.Count, path) : (AllRows(train), AllRows(test));

        var columns = train.Layout.FeatureCount;
        var preprocessing = options.Standardize ? Standardization.Measure(train.Features, columns, trainRows) : Preprocessing.None;
        var shape = new SampleShape(1, 1, columns);
        var decoder = new SampleDecoder(preprocessing, shape);
        var trainSet = Select(train, trainRows, classNames, decoder, preprocessing);
        var testSet = Select(test, testRows, classNames, decoder, preprocessing);
        return new Dataset(name, path, shape, classNames, preprocessing, trainSet, testSet);
    }

    private static int[] AllRows(CsvTable table) => [.. Enumerable.Range(0, table.Labels.Count)];

    private static SampleSet Select(CsvTable table, int[] rows, string[] classNames, SampleDecoder decoder, Preprocessing preprocessing)
    {
        var classes = table.Labels.IndicesIn(classNames);
        var features = Standardization.Store(table.Path, table.Features, table.Layout.FeatureCount, rows, preprocessing);
        return new SampleSet(decoder, Array.ConvertAll(rows, row => classes[row]), features);
    }

    private static void RequireSameColumns(CsvTable train, CsvTable test)
    {
        if (test.Layout.ColumnCount != train.Layout.ColumnCount)
        {
            throw FileErrors.In(test.Path, $"{test.Layout.ColumnCount} columns, but {train.Path} has {train.Layout.ColumnCount}");
        }

        for (var column = 0; column < train.Layout.ColumnCount && train.Layout.HasHeader && test.Layout.HasHeader; column++)
        {
            string expected = train.Layout.Describe(column),
                actual = test.Layout.Describe(column);
            if (actual != expected)
                throw FileErrors.In(test.Path, $"{actual} stands where {train.Path} has {expected}");
        }

        if (test.Layout.LabelIndex != train.Layout.LabelIndex)
        {
            throw FileErrors.In(
                test.Path,
                $"the labels are in column {test.Layout.LabelIndex}, but in column {train.Layout.LabelIndex} of {train.Path}"
            );
        }
    }
}
