using System.Globalization;
using Distributed.Data;
using Distributed.Data.Formats;
using Distributed.Data.Packs;

namespace Distributed.Coordinator.Commands;

/// <summary><c>data list</c>, <c>data inspect</c> and <c>data pack</c>: what there is to train on, what it looks like, and where it lies.</summary>
/// <param name="console">Where to write.</param>
internal sealed class DataCommand(CommandConsole console)
{
    /// <summary>Lists the data sets that have names.</summary>
    /// <returns>The process's exit code.</returns>
    internal int List(DataOptions options)
    {
        foreach (var known in DatasetLoader.List(options))
        {
            WriteLine(
                $"{known.Name}: {known.Summary}; {known.TrainSamples} + {known.TestSamples} samples of {known.Shape}, {known.Classes} classes"
            );
            WriteLine($"    {(known.Location is null ? $"not here: {known.Remedy}" : $"found: {known.Location}")}");
        }
        console.Output.WriteLine($"PATH: {DataFormat.Summaries}, as a file or a folder; try data inspect --data PATH");
        return ExitCodes.Done;
    }

    /// <summary>Loads data as <c>train</c> would and describes it.</summary>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">The data is not right.</exception>
    internal int Inspect(DataOptions options)
    {
        DatasetLoader.RequireUndecided(options);
        var dataset = DatasetLoader.Load(options with { WantsReport = true });
        var statistics = DatasetStatistics.Of(dataset);
        WriteLine($"{Printable.Of(dataset.Name)} ({Printable.Of(dataset.Location)})");
        var held = dataset.Holdout is { } holdout ? Text($", {holdout.Count} held out") : "";
        WriteLine($"samples of {dataset.Shape}: {dataset.Train.Count} to train on{held}, {dataset.Test.Count} to test on");
        WriteLine(
            $"values from {statistics.FeatureMinimum:0.####} to {statistics.FeatureMaximum:0.####}, mean {statistics.FeatureMean:0.####}"
        );
        WriteLine($"sha256 {dataset.Sha256}");
        foreach (var column in dataset.Report?.Columns ?? [])
            WriteLine($"  {column.Name}: {(column.IsCategory ? "category" : "number")} ({column.Reason})");
        if (dataset.Report?.Task is { } reason)
            WriteLine($"  to be predicted: {(dataset.Targets is null ? "classes" : "numbers")} ({reason})");
        for (var index = 0; index < dataset.ClassNames.Count; index++)
        {
            var name = Printable.Of(dataset.ClassNames[index]);
            WriteLine($"  class {name}: {statistics.TrainCounts[index]} + {statistics.TestCounts[index]}");
        }

        foreach (var target in statistics.Targets)
        {
            WriteLine(
                $"  target {Printable.Of(target.Name)}: from {target.Minimum:G6} to {target.Maximum:G6}, mean {target.Mean:G6}, deviation {target.Deviation:G6}"
            );
        }

        foreach (var warning in dataset.Report?.Warnings ?? [])
            WriteLine($"warning: {warning}");
        return ExitCodes.Done;
    }

    /// <summary>Packs data into a folder.</summary>
    /// <param name="options">The data.</param>
    /// <param name="folder">The folder.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">The data is not right, or the folder cannot be written.</exception>
    internal int Pack(DataOptions options, string folder)
    {
        if (folder.Length == 0)
            throw new InputException("DIR is empty; name the folder to pack into");
        var isTable = DatasetLoader.IsTable(options);
        DatasetLoader.RequireUndecided(options);
        var packed = DatasetPack.Write(workspace => DatasetLoader.Load(options with { Workspace = workspace }), isTable, folder);
        WriteLine($"packed {Printable.Of(options.Data)} into {Printable.Of(folder)}: {packed.Train.Count} + {packed.Test.Count} samples");
        WriteLine($"sha256 {packed.Sha256}");
        return ExitCodes.Done;
    }

    private void WriteLine(FormattableString text) => console.Output.WriteLine(Text(text));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
