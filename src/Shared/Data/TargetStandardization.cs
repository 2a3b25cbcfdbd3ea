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
    /// <param name="columns">[targets][rows], all finite.</param>
    /// <param name="trainRows">The rows to measure, at least one.</param>
    public static NumericTargets Fit(
        IReadOnlyList<string> names,
        IReadOnlyList<ReadOnlyMemory<double>> columns,
        ReadOnlySpan<int> trainRows
    )
    {
        var (means, deviations) = (new double[names.Count], new double[names.Count]);
        for (var target = 0; target < names.Count; target++)
            (_, means[target], deviations[target]) = Standardization.Measure(columns[target].Span, trainRows);

        return new NumericTargets(names, means, deviations);
    }

    /// <summary>Stores the standardised targets of chosen rows, as a <see cref="SampleSet"/> holds them.</summary>
    /// <param name="path">Where the numbers come from.</param>
    /// <param name="columns">[targets][all rows].</param>
    /// <param name="targets">What was measured over the training set.</param>
    /// <param name="rows">The rows to take.</param>
    /// <param name="destination">[rows, width]: the first words of each are overwritten by the bits of its targets.</param>
    /// <param name="width">Words of a target.</param>
    /// <exception cref="InputException">A result does not fit in a 32-bit float.</exception>
    public static void Store(
        string path,
        IReadOnlyList<ReadOnlyMemory<double>> columns,
        NumericTargets targets,
        ReadOnlySpan<int> rows,
        Span<int> destination,
        int width
    )
    {
        for (var i = 0; i < rows.Length; i++)
        {
            for (var target = 0; target < targets.Count; target++)
            {
                var value = targets.Standardize(columns[target].Span[rows[i]], target);
                if (!float.IsFinite(value))
                {
                    throw FileErrors.In(
                        path,
                        $"row {rows[i]}: the target '{targets.Names[target]}' is too far from the training mean to be standardised; drop the row"
                    );
                }

                destination[(i * width) + target] = BitConverter.SingleToInt32Bits(value);
            }
        }
    }
}
