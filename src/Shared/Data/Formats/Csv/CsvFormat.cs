using Distributed.Data.Tables;

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
        var holdout = DataFiles.Holdout(options);
        RequireCsv(test, "--test", train);
        RequireCsv(holdout, "--holdout", train);
        var text = ReadText(train.Path);
        var source = CsvSource.Of(train.Path, text.Span, options.DecimalComma);
        var layout = CsvLayout.Detect(source, options);
        var table = CsvTable.ReadTraining(source, layout, options, RowSplit.Of(options, holdsTest: test is null));
        return TableDataset.Create(name, table, layout.Names, options, test, holdout, (files, preprocessing) =>
            ((CsvFormat)files.Format).ReadTest(files.Path, CsvColumns.Of(train.Path, layout), preprocessing, options)
        );
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options) =>
        ParseInputs(files.Path, ReadText(files.Path).Span, inputs, options);

    /// <inheritdoc />
    public override SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options)
    {
        var text = ReadText(files.Path);
        var source = CsvSource.Of(files.Path, text.Span, options.DecimalComma);
        var table = ReadLabelled(source, CsvColumns.Of(inputs), inputs.Preprocessing, options);
        return TableDataset.Samples(table, TableDataset.AllRows(table), inputs.Preprocessing, classNames, inputs.Model, inputs.Targets);
    }

    /// <summary>Reads samples to predict out of text.</summary>
    /// <exception cref="InputException">The text is bad, or its columns are not those that the model takes.</exception>
    public static RawSamples ParseInputs(string path, ReadOnlySpan<byte> text, ModelInputs inputs, DataOptions options)
    {
        var source = CsvSource.Of(path, text, options.DecimalComma);
        var layout = CsvLayout.Matching(source, CsvColumns.Of(inputs), options);
        return new TableRows(CsvTable.Read(source, layout, inputs.Preprocessing, readsLabels: false), inputs.Preprocessing);
    }

    /// <summary>A file's content as CSV, line by line, so that messages name the lines of the file.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    protected virtual ReadOnlyMemory<byte> ReadText(string path) => FileContent.Read(path);

    private static void RequireCsv(DataFiles? files, string option, DataFiles train)
    {
        if (files is not null && files.Format is not CsvFormat)
            throw FileErrors.In(files.Path, $"not a CSV file, but {train.Path} is one; {option} needs the format of --data");
    }

    /// <summary>Reads a set that judges, in the order of the training set's columns.</summary>
    private RawTable ReadTest(string path, CsvColumns columns, Preprocessing preprocessing, DataOptions options)
    {
        var text = ReadText(path);
        var source = CsvSource.Of(path, text.Span, options.DecimalComma);
        return ReadLabelled(source, columns, preprocessing, options with { LabelColumn = null });
    }

    private static RawTable ReadLabelled(CsvSource source, CsvColumns columns, Preprocessing preprocessing, DataOptions options)
    {
        var layout = CsvLayout.Matching(source, columns, options);
        layout.RequireLabels(source.Path, columns);
        return CsvTable.Read(source, layout, preprocessing, readsLabels: true);
    }
}
