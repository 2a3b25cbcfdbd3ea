using Distributed.Data.Formats;
using Distributed.Data.Named;

namespace Distributed.Data;

/// <summary>Reads data by its path, in whatever format it is.</summary>
internal static class DataPath
{
    /// <summary>Reads the dataset that the options name by path.</summary>
    /// <exception cref="InputException">There is no such path, or the data is bad.</exception>
    public static Dataset Load(DataOptions options)
    {
        options = WithHoldoutFound(options);
        var path = Find(options.Data, options.DataDir);
        var testPath = options.Test is null ? null : Find(options.Test, options.DataDir);
        var train = DataFiles.Train(path);
        RequireFittingOptions(train.Format, options, path);
        var test = testPath is null ? DataFiles.FindTest(path) : DataFiles.Test(testPath);
        return train.Format.Read(Name(path), train, test, options);
    }

    /// <summary>The training files of the dataset that the options name by path.</summary>
    /// <exception cref="InputException">There is no such path, or it is of no known format.</exception>
    public static DataFiles FilesOf(DataOptions options) => DataFiles.Train(Find(options.Data, options.DataDir));

    /// <summary>Reads the samples at a path to predict them; of a folder, the test set.</summary>
    /// <exception cref="InputException">There is no such path, the data is bad, or it is not what the model takes.</exception>
    public static RawSamples LoadInputs(DataOptions options, ModelInputs inputs)
    {
        var path = Find(options.Data, options.DataDir);
        var files = DataFiles.Test(path);
        RequireFittingOptions(files.Format, options, path);
        return files.Format.ReadInputs(files, inputs, options);
    }

    /// <summary>Reads samples with their labels at a path to measure a model by them.</summary>
    /// <exception cref="InputException">There is no such path, or the data is bad; what is read later may be refused later.</exception>
    public static LabelledData LoadLabelled(DataOptions options, ModelInputs inputs, IReadOnlyList<string> classNames)
    {
        var path = Find(options.Data, options.DataDir);
        var test = options.Test is null ? DataFiles.FindTest(path) : DataFiles.Test(Find(options.Test, options.DataDir));
        var train = new Lazy<DataFiles>(() => DataFiles.Train(path));
        if (test is null && train.Value.Format.Complete(train.Value) is { } dataset)
            return LabelledData.Of(dataset, inputs, classNames);
        return LabelledData.Of(
            Name(path),
            () => train.Value,
            test,
            () => DataFiles.Holdout(WithHoldoutFound(options)),
            RowSplit.Of(options, holdsTest: test is null),
            files =>
            {
                RequireFittingOptions(files.Format, options, files.Path);
                return files.Format.ReadLabelled(files, inputs, classNames, options);
            }
        );
    }

    /// <summary>The bytes of the files that options name, as they are stored; 0 if that cannot be told.</summary>
    public static long StoredBytes(DataOptions options) =>
        new[] { options.Data, options.Test ?? "", options.Holdout ?? "" }
            .SelectMany(path => Candidates(path, options.DataDir))
            .SelectMany(path =>
                Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles()
                : File.Exists(path) ? [new FileInfo(path)]
                : []
            )
            .Sum(file => file.Length);

    /// <summary>Refuses options that only data with columns has.</summary>
    public static void RequireNoColumnOptions(DataOptions options, string name)
    {
        var option = ColumnOption(options) ?? (options.Task == LearningTask.Regression ? "--task regression" : null);
        if (option is not null)
            throw new InputException($"{option} does not go with {name}, which is no table; leave it out");
    }

    private static string? ColumnOption(DataOptions options) =>
        options.LabelColumn is not null ? $"--label-column {options.LabelColumn}"
        : options.Header is not null ? "--header"
        : options.DecimalComma ? "--decimal-comma"
        : options.Categorical is not null ? "--categorical"
        : options.Numeric is not null ? "--numeric"
        : options.Ignore is not null ? "--ignore"
        : options.Missing is not null ? "--missing"
        : options.WeightColumn is not null ? "--weight-column"
        : null;

    /// <summary>Refuses options that were decided when data was packed.</summary>
    /// <exception cref="InputException">One is given.</exception>
    public static void RequireUndecided(DataOptions options, string path)
    {
        var option =
            options.Test is not null ? $"--test {options.Test}"
            : Holdout.Of(options) is { } holdout ? $"--holdout {holdout}"
            : !options.Standardize ? "--standardize off"
            : ColumnOption(options);
        if (option is not null)
            throw FileErrors.In(path, $"{option} was decided when it was packed; leave it out, or pack the data again with it");
    }

    private static void RequireFittingOptions(DataFormat format, DataOptions options, string path)
    {
        if (format is { IsDecided: false, HasColumns: false })
            RequireNoColumnOptions(options, path);
        var option =
            format.HasColumnNames && options.Header is not null ? "--header"
            : format.HasColumnNames && options.DecimalComma ? "--decimal-comma"
            : null;
        if (option is not null)
            throw new InputException($"{option} does not go with {path}, whose columns have names and types; leave it out");
    }

    private static string Name(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>The place at which a path is found: as it is, or in the folder for data; as it is where it is in neither.</summary>
    public static string PlaceOf(string path, string? dataDir) => Candidates(path, dataDir).FirstOrDefault(Path.Exists) ?? path;

    private static string[] Candidates(string path, string? dataDir) => dataDir is null ? [path] : [path, Path.Combine(dataDir, path)];

    private static DataOptions WithHoldoutFound(DataOptions options) =>
        Holdout.Of(options) is { Path: { } path } ? options with { Holdout = Find(path, options.DataDir) } : options;

    private static string Find(string path, string? dataDir)
    {
        var candidates = Candidates(path, dataDir);
        var places = string.Join(" nor ", candidates);
        return candidates.FirstOrDefault(Path.Exists)
            ?? throw new InputException(
                $"there is no dataset '{path}': neither a name ({Digits.Name}, {FashionMnist.Name}) nor {places} on this machine"
            );
    }
}
