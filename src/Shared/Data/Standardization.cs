namespace Distributed.Data;

/// <summary>Brings columns to mean 0 and deviation 1 over the training set, in exact operations and a fixed order.</summary>
internal static class Standardization
{
    /// <summary>
    /// Measures a column: the mean, and the square root of the mean squared distance from it, both summed in double precision in
    /// the order of the rows. A column that is constant, or too close to it to tell, has the deviation 1.
    /// </summary>
    /// <param name="values">The column, all rows.</param>
    /// <param name="rows">The rows to measure, at least one.</param>
    public static (double Mean, double Deviation) Measure(ReadOnlySpan<double> values, ReadOnlySpan<int> rows)
    {
        double sum = 0;
        foreach (var row in rows)
            sum += values[row];
        // A rounded mean would leave a constant column with a deviation of rounding errors, and turn it into noise.
        var mean = IsConstant(values, rows) ? values[rows[0]] : sum / rows.Length;
        double squares = 0;
        foreach (var row in rows)
        {
            var distance = values[row] - mean;
            squares += distance * distance;
        }

        return (mean, squares == 0 ? 1 : Math.Sqrt(squares / rows.Length));
    }

    private static bool IsConstant(ReadOnlySpan<double> values, ReadOnlySpan<int> rows)
    {
        foreach (var row in rows)
        {
            if (values[row] != values[rows[0]])
                return false;
        }

        return true;
    }
}
