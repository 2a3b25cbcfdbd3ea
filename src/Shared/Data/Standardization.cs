using System.Buffers.Binary;

namespace Distributed.Data;

/// <summary>Brings columns to mean 0 and deviation 1 over the training set, in exact operations and a fixed order.</summary>
internal static class Standardization
{
    /// <summary>
    /// Measures columns: the mean, and the square root of the mean squared distance from it, both summed in double precision in
    /// the order of the rows. A column that is constant, or too close to it to tell, has the deviation 1.
    /// </summary>
    /// <param name="features">[rows, columns].</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="rows">The rows to measure, at least one.</param>
    public static Preprocessing Measure(ReadOnlySpan<double> features, int columns, ReadOnlySpan<int> rows)
    {
        var means = new double[columns];
        foreach (var row in rows)
            Add(features.Slice(row * columns, columns), means);
        foreach (ref var mean in means.AsSpan())
            mean /= rows.Length;
        UseValueOfConstantColumns(features, rows, means);

        var deviations = new double[columns];
        foreach (var row in rows)
            AddSquaredDistances(features.Slice(row * columns, columns), means, deviations);
        foreach (ref var deviation in deviations.AsSpan())
            deviation = deviation == 0 ? 1 : Math.Sqrt(deviation / rows.Length);
        return Preprocessing.Standardized(means, deviations);
    }

    /// <summary>Returns rows in stored form, little-endian 32-bit floats, standardised if the preprocessing says so.</summary>
    /// <param name="path">Where the numbers come from.</param>
    /// <param name="features">[allRows, columns].</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="rows">The rows to take.</param>
    /// <param name="preprocessing">Means and deviations, or none.</param>
    /// <exception cref="InputException">The result does not fit: a value in a 32-bit float, or all of them in one array.</exception>
    public static byte[] Store(string path, ReadOnlySpan<double> features, int columns, ReadOnlySpan<int> rows, Preprocessing preprocessing)
    {
        var length = (long)rows.Length * columns * sizeof(float);
        if (length > Array.MaxLength)
            throw FileErrors.In(path, $"{rows.Length} rows of {columns} numbers are more than {Array.MaxLength} bytes; split it");
        double[] means = [.. preprocessing.Means],
            deviations = [.. preprocessing.Deviations];
        var stored = new byte[length];
        for (var i = 0; i < rows.Length; i++)
        {
            var destination = stored.AsSpan(i * columns * sizeof(float));
            var column = StoreRow(features.Slice(rows[i] * columns, columns), means, deviations, destination);
            if (column == columns)
                continue;
            throw FileErrors.In(
                path,
                $"row {rows[i]}: feature {column} is too far from the training mean to be standardised; see --standardize off"
            );
        }

        return stored;
    }

    private static void Add(ReadOnlySpan<double> values, Span<double> sums)
    {
        for (var column = 0; column < sums.Length; column++)
            sums[column] += values[column];
    }

    private static void AddSquaredDistances(ReadOnlySpan<double> values, ReadOnlySpan<double> means, Span<double> sums)
    {
        for (var column = 0; column < sums.Length; column++)
        {
            var distance = values[column] - means[column];
            sums[column] += distance * distance;
        }
    }

    // A rounded mean would leave a constant column with a deviation of rounding errors, and turn it into noise.
    private static void UseValueOfConstantColumns(ReadOnlySpan<double> features, ReadOnlySpan<int> rows, double[] means)
    {
        var first = features.Slice(rows[0] * means.Length, means.Length);
        var varies = new bool[means.Length];
        foreach (var row in rows)
        {
            var values = features.Slice(row * means.Length, means.Length);
            for (var column = 0; column < varies.Length; column++)
                varies[column] |= values[column] != first[column];
        }

        for (var column = 0; column < means.Length; column++)
        {
            if (!varies[column])
                means[column] = first[column];
        }
    }

    /// <summary>Stores one row; returns the first column whose result is not finite, or the number of columns.</summary>
    private static int StoreRow(
        ReadOnlySpan<double> values,
        ReadOnlySpan<double> means,
        ReadOnlySpan<double> deviations,
        Span<byte> destination
    )
    {
        for (var column = 0; column < values.Length; column++)
        {
            var value = means.IsEmpty ? values[column] : (values[column] - means[column]) / deviations[column];
            if (!float.IsFinite((float)value))
                return column;
            BinaryPrimitives.WriteSingleLittleEndian(destination[(column * sizeof(float))..], (float)value);
        }

        return values.Length;
    }
}
