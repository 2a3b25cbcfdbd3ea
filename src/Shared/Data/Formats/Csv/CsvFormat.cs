using System.Buffers.Binary;

namespace Distributed.Data.Formats.Csv;

/// <summary>
/// Text of separated cells in UTF-8: each row is a feature vector and a label. Other text in rows and columns is a format that derives from
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
        var table = CsvTable.Parse(train.Path, ReadText(train.Path).Span, options);
        return Read(name, table, test?.Format is CsvFormat format ? format.ReadTest(test.Path, table, options) : null, options);
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options) =>
        ParseInputs(files.Path, ReadText(files.Path).Span, inputs, options);

    /// <inheritdoc />
    public override SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options)
    {
        var text = ReadText(files.Path);
        var columns = CsvColumns.Of(inputs);
        var source = CsvSource.Of(files.Path, text.Span, options.DecimalComma);
        var layout = CsvLayout.Matching(source, columns, options.LabelColumn, options.Header);
        layout.RequireLabels(files.Path, columns);
        var table = CsvTable.Parse(source, layout, readsLabels: true);
        return new NumberRows(table).Labelled(inputs, table.Labels.IndicesIn(classNames, inputs.Model));
    }

    /// <summary>Reads samples to predict out of text.</summary>
    /// <exception cref="InputException">The text is bad, or its columns are not those that the model takes.</exception>
    public static RawSamples ParseInputs(string path, ReadOnlySpan<byte> text, ModelInputs inputs, DataOptions options)
    {
        var source = CsvSource.Of(path, text, options.DecimalComma);
        var layout = CsvLayout.Matching(source, CsvColumns.Of(inputs), options.LabelColumn, options.Header);
        return new NumberRows(CsvTable.Parse(source, layout, readsLabels: false));
    }

    /// <summary>A file's content as CSV, line by line, so that messages name the lines of the file.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    protected virtual ReadOnlyMemory<byte> ReadText(string path) => FileContent.Read(path);

    /// <summary>Reads a test set in the order of the training set's columns.</summary>
    private CsvTable ReadTest(string path, CsvTable train, DataOptions options)
    {
        var text = ReadText(path);
        var columns = CsvColumns.Of(train);
        var source = CsvSource.Of(path, text.Span, options.DecimalComma);
        var layout = CsvLayout.Matching(source, columns, labelColumn: null, options.Header);
        layout.RequireLabels(path, columns);
        return CsvTable.Parse(source, layout, readsLabels: true);
    }

    private static Dataset Read(string name, CsvTable train, CsvTable? separateTest, DataOptions options)
    {
        var test = separateTest ?? train;
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
        var classes = table.Labels.IndicesIn(classNames, "the training set");
        var features = Standardization.Store(table.Path, table.Features, table.Layout.FeatureCount, rows, preprocessing);
        return new SampleSet(decoder, Array.ConvertAll(rows, row => classes[row]), features);
    }

    private sealed class NumberRows(CsvTable table) : RawSamples
    {
        public override int Count => table.RowCount;

        public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination)
        {
            var columns = table.Layout.FeatureCount;
            for (var index = 0; index < destination.Length; index++)
            {
                var (row, feature) = (first + (index / columns), index % columns);
                destination[index] = preprocessing.Apply(table.Features[(row * columns) + feature], feature);
                if (!float.IsFinite(destination[index]))
                    throw FileErrors.In(table.Path, $"row {row}: feature {feature} is too far from the training mean to be standardised");
            }
        }

        /// <summary>The samples as a model sees them, with their labels.</summary>
        public SampleSet Labelled(ModelInputs inputs, int[] labels)
        {
            var length = (long)table.Features.Length * sizeof(float);
            if (length > Array.MaxLength)
                throw FileErrors.In(table.Path, $"{Count} rows are more than {Array.MaxLength} bytes; split it");
            var stored = new byte[length];
            var sample = new float[table.Layout.FeatureCount];
            for (var row = 0; row < Count; row++)
            {
                CopyInputs(row, inputs.Preprocessing, sample);
                var destination = stored.AsSpan(row * sample.Length * sizeof(float));
                for (var feature = 0; feature < sample.Length; feature++)
                    BinaryPrimitives.WriteSingleLittleEndian(destination[(feature * sizeof(float))..], sample[feature]);
            }

            return new SampleSet(new SampleDecoder(Preprocessing.None, inputs.Shape), labels, stored);
        }
    }
}
