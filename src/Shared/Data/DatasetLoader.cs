using Distributed.Data.Named;

namespace Distributed.Data;

/// <summary>Finds datasets by name or path. What it returns is complete and validated.</summary>
public static class DatasetLoader
{
    /// <summary>Loads a dataset.</summary>
    /// <param name="options">Which one, and how to read it.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="InputException">It is missing or bad; the message names the file, the place, the reason and the remedy.</exception>
    /// <exception cref="OperationCanceledException">A download was cancelled.</exception>
    public static Dataset Load(DataOptions options, CancellationToken cancellation = default)
    {
        if (options.Data is not (Digits.Name or FashionMnist.Name))
            return DataPath.Load(options);
        DataPath.RequireNoColumnOptions(options, options.Data);
        if (options.Test is string test)
            throw new InputException($"--test {test} does not go with {options.Data}, which has its own test set; leave it out");
        return options.Data == Digits.Name ? Digits.Load() : FashionMnist.Load(options.DataDir, cancellation);
    }

    /// <summary>The datasets that can be asked for by name. Nothing is read or downloaded.</summary>
    /// <param name="options">Where to look for them.</param>
    public static IReadOnlyList<DatasetDescription> List(DataOptions options) =>
        [Digits.Describe(), FashionMnist.Describe(options.DataDir)];
}
