namespace Distributed.Data;

/// <summary>Brings columns to mean 0 and deviation 1 over the training set, in exact operations and a fixed order.</summary>
internal static class Standardization
{
    /// <summary>
    /// Measures a column: the mean, and the square root of the mean squared distance from it, both summed in double precision in
    /// the order of the rows; gaps are passed over. A column that is constant, or too close to it to tell, has the deviation 1.
    /// </summary>
    /// <param name="values">The column, all rows; NaN for a gap.</param>
    /// <param name="rows">The rows to measure.</param>
    /// <returns>How many of them have a value, with mean and deviation, which mean nothing without one.</returns>
    public static (int Count, double Mean, double Deviation) Measure(ReadOnlySpan<double> values, ReadOnlySpan<int> rows)
    {
        var (count, sum, first, isConstant) = (0, 0.0, double.NaN, true);
        foreach (var row in rows)
        {
            var value = values[row];
            if (double.IsNaN(value))
                continue;
            if (count++ == 0)
                first = value;
            isConstant &= value == first;
            sum += value;
        }

        // A rounded mean would leave a constant column with a deviation of rounding errors, and turn it into noise.
        var mean = isConstant ? first : sum / count;
        double squares = 0;
        foreach (var row in rows)
        {
            var value = values[row];
            if (double.IsNaN(value))
                continue;
            var distance = value - mean;
            squares += distance * distance;
        }

        return (count, mean, squares == 0 ? 1 : Math.Sqrt(squares / count));
    }
}
