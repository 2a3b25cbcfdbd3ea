using Distributed.Data.Tables;

namespace Distributed.Data.Formats;

/// <summary>A format of rows and columns: each row is a feature vector and a label. A set of rows may lie in several files.</summary>
internal abstract class TableFormat : DataFormat
{
    /// <inheritdoc />
    public sealed override bool HasColumns => true;

    /// <inheritdoc />
    public sealed override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        var holdout = DataFiles.Holdout(options);
        RequireTable(test, "--test", train);
        RequireTable(holdout, "--holdout", train);
        return TableDataset.Create(name, Open(train, options), options, Opening(test), Opening(holdout));

        Func<TableSource>? Opening(DataFiles? files) => files is null ? null : () => ((TableFormat)files.Format).Open(files, options);
    }

    /// <inheritdoc />
    public sealed override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options) =>
        TableReader.ReadInputs(Open(files, options), inputs, options);

    /// <inheritdoc />
    public sealed override SampleSet ReadLabelled(
        DataFiles files,
        ModelInputs inputs,
        IReadOnlyList<string> classNames,
        DataOptions options
    )
    {
        var table = TableReader.ReadLabelled(Open(files, options), TableColumns.Of(inputs), inputs.Preprocessing, inputs.Task, options);
        var targets = new TableTargets(table, classNames, inputs.Model, inputs.Targets);
        var rows = TableDataset.AllRows(table, options.Workspace);
        var samples = new TableSamples(table, rows, inputs.Preprocessing, targets.Width, targets.Encode);
        var shape = new SampleShape(1, 1, samples.BytesPerSample / sizeof(float));
        return SampleSet.Store(new SampleDecoder(inputs.Preprocessing, shape), samples, DataPart.Test, options.Workspace);
    }

    private static void RequireTable(DataFiles? files, string option, DataFiles train)
    {
        if (files is not null && files.Format is not TableFormat)
            throw FileErrors.In(files.Path, $"not a table, but {train.Path} is one; {option} needs the format of --data");
    }

    /// <summary>Opens the files of a table.</summary>
    /// <param name="files">The files, at least one.</param>
    /// <param name="options">How to read.</param>
    /// <exception cref="InputException">A file is bad.</exception>
    public abstract TableSource Open(DataFiles files, DataOptions options);
}
