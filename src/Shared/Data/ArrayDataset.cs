using Distributed.Data.Tables;

namespace Distributed.Data;

/// <summary>Makes datasets of arrays, as a CSV file of the same rows would make them.</summary>
internal static class ArrayDataset
{
    private const string Name = "arrays";

    /// <summary>Makes a dataset; without a test set, every fifth sample is held back.</summary>
    /// <param name="features">[n][values], the training set, or both sets.</param>
    /// <param name="labels">[n], the class of each.</param>
    /// <param name="classNames">The classes.</param>
    /// <param name="options">How to read them.</param>
    /// <exception cref="ArgumentException">The arrays do not go together.</exception>
    public static Dataset Create(
        IReadOnlyList<float[]> features,
        IReadOnlyList<string> labels,
        IReadOnlyList<string> classNames,
        ArrayOptions options
    )
    {
        ArgumentNullException.ThrowIfNull(features);
        if (classNames.Count < 2)
            throw new ArgumentException("classes need at least 2 different labels", nameof(labels));
        var testCount = options.TestFeatures?.Count ?? 0;
        var classes = Indices([.. labels, .. options.TestLabels ?? []], classNames);
        var table = Table([.. features, .. options.TestFeatures ?? []], classes.Length);
        var columns = features[0].Length;
        var shape = options.Shape ?? new SampleShape(1, 1, columns);
        if (shape.Length != columns)
            throw new ArgumentException($"samples of {columns} values are not {shape}", nameof(options));
        var (train, test) = Split(classes.Length, testCount);
        var preprocessing = TableFit.Of(table, train, options.Standardize, new GapTexts(texts: null));
        var rowsOfTable = new TableRows(table, preprocessing);
        var decoder = new SampleDecoder(preprocessing, shape);
        return new Dataset(Name, Name, shape, classNames, preprocessing, Select(train), Select(test));

        SampleSet Select(int[] rows) => new(decoder, Array.ConvertAll(rows, row => classes[row]), rowsOfTable.Store(rows));
    }

    private static int[] Indices(IReadOnlyList<string> labels, IReadOnlyList<string> classNames)
    {
        var indexOf = classNames.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        return
        [
            .. labels.Select(label =>
                indexOf.TryGetValue(label, out var index)
                    ? index
                    : throw new ArgumentException($"the label '{label}' is not among the {classNames.Count} classes", nameof(labels))
            ),
        ];
    }

    private static RawTable Table(IReadOnlyList<float[]> features, int labels)
    {
        if (features.Count != labels)
            throw new ArgumentException($"{features.Count} samples, but {labels} labels", nameof(features));
        if (features.Count == 0 || features[0].Length == 0)
            throw new ArgumentException("a dataset needs samples, and a sample values", nameof(features));
        RawColumn[] columns = [.. features[0].Select(_ => new RawColumn(ColumnKind.Number))];
        for (var row = 0; row < features.Count; row++)
        {
            if (features[row].Length != columns.Length)
            {
                throw new ArgumentException(
                    $"sample {row} has {features[row].Length} values, but the first has {columns.Length}",
                    nameof(features)
                );
            }

            for (var column = 0; column < columns.Length; column++)
            {
                var value = features[row][column];
                if (!float.IsFinite(value))
                    throw new ArgumentException($"sample {row}: value {column} is {value}", nameof(features));
                columns[column].Add(value);
            }
        }

        return new RawTable(Name, columns, [.. columns.Select((_, column) => $"value {column}")]);
    }

    private static (int[] Train, int[] Test) Split(int count, int testCount)
    {
        if (testCount > 0)
            return ([.. Enumerable.Range(0, count - testCount)], [.. Enumerable.Range(count - testCount, testCount)]);
        return count >= TestSplit.Period
            ? TestSplit.EveryFifth(count, Name)
            : throw new ArgumentException($"{count} samples are too few to hold every fifth one back; give a test set", nameof(count));
    }
}
