using System.Numerics;
using Distributed.Data.Tables;

namespace Distributed.Data;

/// <summary>Makes datasets of arrays, as a CSV file of the same rows would make them.</summary>
internal static class ArrayDataset
{
    private const string Name = "arrays";

    /// <summary>Makes a dataset of classes; without a test set, every fifth sample is held back.</summary>
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
        var classes = Indices([.. labels, .. options.TestLabels ?? []], classNames);
        var rows = Rows.Of(features, classes.Length, "labels", options);
        return rows.ToDataset(classNames, targets: null, chosen => Array.ConvertAll(chosen, row => classes[row]));
    }

    /// <summary>Makes a dataset of numbers to predict; without a test set, every fifth sample is held back.</summary>
    /// <param name="features">[n][values], the training set, or both sets.</param>
    /// <param name="targets">[n][targets], the numbers of each.</param>
    /// <param name="options">How to read them.</param>
    /// <exception cref="ArgumentException">The arrays do not go together.</exception>
    public static Dataset Create(IReadOnlyList<float[]> features, IReadOnlyList<double[]> targets, ArrayOptions options)
    {
        ArgumentNullException.ThrowIfNull(features);
        double[][] all = [.. targets, .. options.TestTargets ?? []];
        var rows = Rows.Of(features, all.Length, "targets", options);
        ReadOnlyMemory<double>[] columns = [.. Columns(Flatten(all, "target"), all[0].Length)];
        var names = options.TargetNames ?? TargetStandardization.Numbered(all[0].Length);
        if (names.Count != all[0].Length)
            throw new ArgumentException($"{names.Count} names, but {all[0].Length} targets", nameof(options));
        var measured = TargetStandardization.Fit(names, columns, rows.Train);
        return rows.ToDataset([], measured, chosen =>
        {
            var stored = new int[checked(chosen.Length * measured.Count)];
            TargetStandardization.Store(Name, columns, measured, chosen, stored, measured.Count);
            return stored;
        });
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

    private static double[] Flatten<T>(T[][] samples, string value)
        where T : struct, INumber<T>
    {
        if (samples.Length == 0 || samples[0].Length == 0)
            throw new ArgumentException($"a dataset needs samples, and a sample {value}s", nameof(samples));
        var columns = samples[0].Length;
        var values = new double[checked(samples.Length * columns)];
        for (var row = 0; row < samples.Length; row++)
        {
            if (samples[row].Length != columns)
            {
                throw new ArgumentException(
                    $"sample {row} has {samples[row].Length} {value}s, but the first has {columns}",
                    nameof(samples)
                );
            }

            for (var column = 0; column < columns; column++)
            {
                var number = samples[row][column];
                if (!T.IsFinite(number))
                    throw new ArgumentException($"sample {row}: {value} {column} is {number}", nameof(samples));
                values[(row * columns) + column] = double.CreateChecked(number);
            }
        }

        return values;
    }

    private static double[][] Columns(ReadOnlySpan<double> values, int columns)
    {
        var rows = values.Length / columns;
        double[][] table = [.. Enumerable.Range(0, columns).Select(_ => new double[rows])];
        for (var index = 0; index < values.Length; index++)
            table[index % columns][index / columns] = values[index];
        return table;
    }

    private static (int[] Train, int[] Holdout, int[] Test) Split(int count, int testCount, double holdout)
    {
        if (!(holdout is >= 0 and < 1 && (decimal)holdout < 1))
            throw new ArgumentException($"a holdout must be above 0 and below 1, not {holdout}", nameof(holdout));
        var split = new RowSplit(HoldsTest: testCount == 0, (decimal)holdout);
        var rows = count - testCount;
        if (split.HoldsTest && count < TestSplit.Period)
            throw new ArgumentException($"{count} samples are too few to hold every fifth one back; give a test set", nameof(count));
        var held = split.Rows(DataPart.Holdout, rows);
        if (held.Length == 0 && holdout > 0)
            throw new ArgumentException($"{rows} samples are too few to hold {holdout} of them out; raise it", nameof(holdout));
        var test = split.HoldsTest ? split.Rows(DataPart.Test, rows) : [.. Enumerable.Range(rows, testCount)];
        return (split.Rows(DataPart.Train, rows), held, test);
    }

    /// <summary>The features of a dataset, split and scaled.</summary>
    /// <param name="Shape">The shape of a sample.</param>
    /// <param name="Table">All rows.</param>
    /// <param name="Train">The rows to train on.</param>
    /// <param name="Holdout">The rows that judge the training while it goes on; none if nothing is held out.</param>
    /// <param name="Test">The rows to test on.</param>
    /// <param name="Preprocessing">How values are scaled.</param>
    /// <param name="Weights">[all rows], what each counts for in training; null if all count alike.</param>
    private sealed record Rows(
        SampleShape Shape,
        RawTable Table,
        int[] Train,
        int[] Holdout,
        int[] Test,
        Preprocessing Preprocessing,
        float[]? Weights
    )
    {
        public static Rows Of(IReadOnlyList<float[]> features, int targets, string noun, ArrayOptions options)
        {
            float[][] all = [.. features, .. options.TestFeatures ?? []];
            if (all.Length != targets)
                throw new ArgumentException($"{all.Length} samples, but {targets} {noun}", nameof(features));
            var values = Flatten(all, "value");
            var columns = all[0].Length;
            var shape = options.Shape ?? new SampleShape(1, 1, columns);
            if (shape.Length != columns)
                throw new ArgumentException($"samples of {columns} values are not {shape}", nameof(options));
            var (train, holdout, test) = Split(all.Length, options.TestFeatures?.Count ?? 0, options.Holdout);
            var table = Columns(values, columns);
            var raw = RawTable.OfNumbers(Name, table, [.. table.Select((_, column) => $"value {column}")]);
            var preprocessing = TableFit.Of(raw, train, options.Standardize, new GapTexts(texts: null));
            return new Rows(shape, raw, train, holdout, test, preprocessing, WeightsOf(features.Count, all.Length, options));
        }

        private static float[]? WeightsOf(int samples, int all, ArrayOptions options)
        {
            if (options.Weights is not { } weights)
                return null;
            if (weights.Count != samples)
                throw new ArgumentException($"{samples} samples, but {weights.Count} weights", nameof(options));
            float[] stored = [.. weights.Select(weight => (float)weight), .. Enumerable.Repeat(1f, all - samples)];
            var bad = Array.FindIndex(stored, weight => !(weight >= 0 && float.IsFinite(weight)));
            return bad < 0
                ? stored
                : throw new ArgumentException($"sample {bad}: the weight is {weights[bad]}, but must be at least 0", nameof(options));
        }

        /// <summary>The dataset of these features.</summary>
        /// <param name="classNames">The classes, if any.</param>
        /// <param name="targets">The numbers to predict, if any.</param>
        /// <param name="targetsOf">The stored targets of some rows.</param>
        public Dataset ToDataset(IReadOnlyList<string> classNames, NumericTargets? targets, Func<int[], int[]> targetsOf)
        {
            var decoder = new SampleDecoder(Preprocessing, Shape);
            var holdout = Holdout.Length > 0 ? Select(Holdout) : null;
            return new Dataset(Name, Name, Shape, classNames, Preprocessing, Select(Train), Select(Test), targets, holdout);

            SampleSet Select(int[] rows)
            {
                var (stored, width) = (targetsOf(rows), targets?.Count ?? 1);
                if (Weights is not null)
                    (stored, width) = (WeightedTargets.Join(stored, Array.ConvertAll(rows, row => Weights[row]), width), width + 1);
                var samples = new TableSamples(Table, rows, Preprocessing, width, (_, destination) => stored.CopyTo(destination));
                return SampleSet.Store(decoder, samples, DataPart.Train, Workspace.InMemory);
            }
        }
    }
}
