using System.Globalization;

namespace Distributed.Data;

/// <summary>Brings numeric targets to mean 0 and deviation 1 over the training set, as <see cref="Standardization"/> does columns.</summary>
internal static class TargetStandardization
{
    /// <summary>The names of targets that have none.</summary>
    /// <param name="targets">How many.</param>
    public static IReadOnlyList<string> Numbered(int targets) =>
        targets == 1
            ? ["target"]
            : [.. Enumerable.Range(0, targets).Select(index => string.Create(CultureInfo.InvariantCulture, $"target{index}"))];

    /// <summary>Measures targets over the training set, in double precision and in the order of the rows.</summary>
    /// <param name="names">The names of the targets.</param>
    /// <param name="values">[rows, targets], all finite.</param>
    /// <param name="trainRows">The rows to measure, at least one.</param>
    public static NumericTargets Fit(IReadOnlyList<string> names, ReadOnlySpan<double> values, ReadOnlySpan<int> trainRows)
    {
        var column = new double[values.Length / names.Count];
        var (means, deviations) = (new double[names.Count], new double[names.Count]);
        for (var target = 0; target < names.Count; target++)
        {
            for (var row = 0; row < column.Length; row++)
                column[row] = values[(row * names.Count) + target];
            (means[target], deviations[target]) = Standardization.Measure(column, trainRows);
        }

        return new NumericTargets(names, means, deviations);
    }

    /// <summary>[rows, targets], the bits of the standardised targets of chosen rows, as a <see cref="SampleSet"/> holds them.</summary>
    /// <param name="path">Where the numbers come from.</param>
    /// <param name="values">[all rows, targets].</param>
    /// <param name="targets">What was measured over the training set.</param>
    /// <param name="rows">The rows to take.</param>
    /// <exception cref="InputException">A result does not fit in a 32-bit float.</exception>
    public static int[] Store(string path, ReadOnlySpan<double> values, NumericTargets targets, ReadOnlySpan<int> rows)
    {
        var stored = new int[checked(rows.Length * targets.Count)];
        for (var i = 0; i < stored.Length; i++)
        {
            var (row, target) = (rows[i / targets.Count], i % targets.Count);
            var value = targets.Standardize(values[(row * targets.Count) + target], target);
            if (!float.IsFinite(value))
            {
                throw FileErrors.In(
                    path,
                    $"row {row}: the target '{targets.Names[target]}' is too far from the training mean to be standardised; drop the row"
                );
            }

            stored[i] = BitConverter.SingleToInt32Bits(value);
        }

        return stored;
    }
}
