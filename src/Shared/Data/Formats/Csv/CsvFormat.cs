namespace Distributed.Data.Formats.Csv;

/// <summary>
/// Comma-separated text in UTF-8: each row is a feature vector and a label. Other text in rows and columns is a format that derives from
/// this one and turns its text into CSV.
/// </summary>
internal class CsvFormat : DataFormat
{
    /// <inheritdoc />
    public override string Summary => "CSV (in UTF-8)";

    /// <inheritdoc />
    public override bool HasColumns => true;

    /// <summary>Whether a file may be text. Asked last: it has no mark of its own.</summary>
    public override bool Recognizes(DataFile file) => !file.Start.Contains((byte)0);

    /// <inheritdoc />
    public override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        if (test is not null && test.Format is not CsvFormat)
            throw FileErrors.In(test.Path, $"not a CSV file, but {train.Path} is one; --test needs the format of --data");
        return Read(name, Table(train.Path, options), test?.Format is CsvFormat format ? format.Table(test.Path, options) : null, options);
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options) =>
        ParseInputs(files.Path, ReadText(files.Path).Span, inputs, options);

    /// <summary>Reads samples to predict out of text.</summary>
    /// <exception cref="InputException">The text is bad, or its columns are not those that the model takes.</exception>
    public static RawSamples ParseInputs(string path, ReadOnlySpan<byte> text, ModelInputs inputs, DataOptions options)
    {
        var layout = CsvLayout.OfInputs(path, text, inputs, options.LabelColumn, options.Header);
        return new NumberRows(CsvTable.Parse(path, text, layout, readsLabels: false));
    }

    /// <summary>A file's content as CSV, line by line, so that messages name the lines of the file.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    protected virtual ReadOnlyMemory<byte> ReadText(string path) => FileContent.Read(path);

    private CsvTable Table(string path, DataOptions options) =>
        CsvTable.Parse(path, ReadText(path).Span, options.LabelColumn, options.Header);

    private static Dataset Read(string name, CsvTable train, CsvTable? separateTest, DataOptions options)
    {
        var test = separateTest ?? train;
        RequireSameColumns(train, test);
        var classNames = train.Labels.ClassNames();
        var (trainRows, testRows) = separateTest is null
            ? TestSplit.EveryFifth(train.Labels.Count, train.Path)
            : (AllRows(train), AllRows(test));

        var columns = train.Layout.FeatureCount;
        var preprocessing = options.Standardize ? Standardization.Measure(train.Features, columns, trainRows) : Preprocessing.None;
        var shape = new SampleShape(1, 1, columns);
        var decoder = new SampleDecoder(preprocessing, shape);
        var trainSet = Select(train, trainRows, classNames, decoder, preprocessing);
        var testSet = Select(test, testRows, classNames, decoder, preprocessing);
        return new Dataset(name, train.Path, shape, classNames, preprocessing, trainSet, testSet) { Columns = train.Layout.Names };
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

    private sealed class NumberRows(CsvTable table) : RawSamples
    {
        public override int Count => table.RowCount;

        public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination)
        {
            var order = table.Layout.Features;
            for (var index = 0; index < destination.Length; index++)
            {
                var (row, feature) = (first + (index / order.Count), index % order.Count);
                destination[index] = preprocessing.Apply(table.Features[(row * order.Count) + order[feature]], feature);
                if (!float.IsFinite(destination[index]))
                    throw FileErrors.In(table.Path, $"row {row}: feature {feature} is too far from the training mean to be standardised");
            }
        }
    }
}
