using Distributed.Data.Formats;
using Distributed.Data.Formats.Csv;
using Distributed.Data.Named;
using Distributed.Data.Tables;

namespace Distributed.Data;

/// <summary>Finds datasets by name or path. What it returns is complete and validated.</summary>
internal static class DatasetLoader
{
    /// <summary>What stands for the standard input where samples to predict are named.</summary>
    internal const string StandardInput = "-";

    /// <summary>Loads a dataset.</summary>
    /// <param name="options">Which one, and how to read it.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="InputException">It is missing or bad; the message names the file, the place, the reason and the remedy.</exception>
    /// <exception cref="OperationCanceledException">A download was cancelled.</exception>
    public static Dataset Load(DataOptions options, CancellationToken cancellation = default)
    {
        var dataset = InMemory(options, () => Read(options, cancellation));
        dataset.Source = options;
        return dataset;
    }

    /// <summary>Loads samples to predict: those of a file, the test set of a folder or of a dataset with a name.</summary>
    /// <param name="options">Which ones, and how to read them; <c>-</c> is CSV out of <paramref name="standardInput"/>.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="standardInput">Opens the stream that <c>-</c> stands for.</param>
    /// <exception cref="InputException">They are missing or bad, or are not what the model takes.</exception>
    internal static RawSamples LoadInputs(DataOptions options, ModelInputs inputs, Func<Stream> standardInput) => InMemory(options, () =>
        {
            if (options.Data == StandardInput)
            {
                const string name = "standard input";
                using var stream = standardInput();
                var source = CsvSource.Of(name, FileContent.Read(name, stream), options.DecimalComma);
                return TableReader.ReadInputs(source, inputs, options);
            }

            return options.Data is Digits.Name or FashionMnist.Name
                ? new DatasetSamples(Load(options), inputs)
                : DataPath.LoadInputs(options, inputs);
        });

    /// <summary>Loads samples with their labels to measure a model by.</summary>
    /// <param name="options">Which ones, and how to read them.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="classNames">Its classes; the samples need not show all of them.</param>
    /// <param name="take">Takes what is needed of them.</param>
    /// <exception cref="InputException">They are missing or bad, or are not what the model takes.</exception>
    internal static T LoadLabelled<T>(
        DataOptions options,
        ModelInputs inputs,
        IReadOnlyList<string> classNames,
        Func<LabelledData, T> take
    ) =>
        InMemory(options, () =>
            take(
                options.Data is Digits.Name or FashionMnist.Name
                    ? LabelledData.Of(Load(options), inputs, classNames)
                    : DataPath.LoadLabelled(options, inputs, classNames)
            )
        );

    /// <summary>Whether data is a table of columns; no for what cannot be told, which is refused when it is loaded.</summary>
    /// <param name="options">Which data.</param>
    public static bool IsTable(DataOptions options) => Told(() => FilesOf(options) is { } files && files.Format.IsTable(files));

    /// <summary>Refuses options that were decided when the data was packed, if it is; what cannot be told is refused when it is loaded.</summary>
    /// <param name="options">The data, and what somebody has said of it.</param>
    /// <exception cref="InputException">One is given.</exception>
    public static void RequireUndecided(DataOptions options)
    {
        if (Told(() => FilesOf(options)) is { Format.IsDecided: true } files)
            DataPath.RequireUndecided(options, files.Path);
    }

    /// <summary>The datasets that can be asked for by name. Nothing is read or downloaded.</summary>
    /// <param name="options">Where to look for them.</param>
    public static IReadOnlyList<DatasetDescription> List(DataOptions options) =>
        [Digits.Describe(), FashionMnist.Describe(options.DataDir)];

    private static DataFiles? FilesOf(DataOptions options) =>
        options.Data is Digits.Name or FashionMnist.Name ? null : DataPath.FilesOf(options);

    private static T? Told<T>(Func<T> tell)
    {
        try
        {
            return tell();
        }
        catch (InputException)
        {
            return default;
        }
    }

    private static Dataset Read(DataOptions options, CancellationToken cancellation)
    {
        if (options.Data is not (Digits.Name or FashionMnist.Name))
            return DataPath.Load(options);
        DataPath.RequireNoColumnOptions(options, options.Data);
        if (options.Test is string test)
            throw new InputException($"--test {test} does not go with {options.Data}, which has its own test set; leave it out");
        var holdout = Holdout.Of(options) ?? default;
        if (holdout.Path is { } path)
            throw new InputException($"--holdout {path} does not go with {options.Data}; hold a fraction of it out, such as 0.1");
        return options.Data == Digits.Name
            ? Digits.Load(options.Workspace, holdout.Fraction)
            : FashionMnist.Load(options.DataDir, holdout.Fraction, options.Workspace, cancellation);
    }

    private static T InMemory<T>(DataOptions options, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (OutOfMemoryException e)
        {
            throw FileErrors.In(
                $"--data {options.Data}",
                $"does not fit in memory ({DataPath.StoredBytes(options)} bytes in its files); pack it with data pack and train on that, or use fewer samples or more memory",
                e
            );
        }
    }
}
