namespace Distributed.Data.Tables;

/// <summary>
/// How the columns of a table become the values of a sample: <c>[numbers, indicators of gaps, ids]</c>, each in the order of their columns.
/// Needed where there are categories or gaps; columns of numbers alone are described by means and deviations.
/// </summary>
internal sealed class TableEncoding
{
    /// <summary>Takes the columns.</summary>
    /// <param name="columns">How each column is encoded, in the order in which a model takes them.</param>
    /// <param name="missing">The texts that stand for gaps beside the empty one.</param>
    /// <exception cref="ArgumentException">An encoding has a value that cannot be.</exception>
    public TableEncoding(IReadOnlyList<ColumnEncoding> columns, IReadOnlyList<string> missing)
    {
        foreach (var column in columns)
            Check(column);
        Columns = columns;
        Missing = missing;
        Numbers = columns.Count(column => column is NumberEncoding);
        Indicators = columns.Count(column => column is NumberEncoding { HasGaps: true });
    }

    /// <summary>How each column is encoded, in the order in which a model takes them.</summary>
    public IReadOnlyList<ColumnEncoding> Columns { get; }

    /// <summary>The texts that stand for gaps beside the empty one.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Values of a sample.</summary>
    public int Length => Columns.Count + Indicators;

    private int Numbers { get; }

    private int Indicators { get; }

    /// <summary>The columns of categories as a network sees them.</summary>
    /// <param name="names">The names of all columns; null if they have none.</param>
    public IReadOnlyList<CategoryColumn> Categories(IReadOnlyList<string>? names) =>
        [
            .. Columns
                .Index()
                .Where(column => column.Item is CategoryEncoding)
                .Select(column => new CategoryColumn(NameOf(column.Index, names), ((CategoryEncoding)column.Item).Size)),
        ];

    /// <summary>Where the values of each column lie in a sample: a number and whether it is a gap, or an id.</summary>
    public IReadOnlyList<int[]> Places()
    {
        var (number, indicator, id) = (0, Numbers, Numbers + Indicators);
        return
        [
            .. Columns.Select(column =>
                column switch
                {
                    NumberEncoding { HasGaps: true } => [number++, indicator++],
                    NumberEncoding => [number++],
                    _ => new[] { id++ },
                }
            ),
        ];
    }

    /// <summary>Turns a row into a sample.</summary>
    /// <param name="row">[columns]: numbers, NaN for a gap, and ids.</param>
    /// <param name="sample">[<see cref="Length"/>]: overwritten.</param>
    /// <returns>The first column whose value does not fit in a 32-bit float, or the number of columns.</returns>
    public int Encode(ReadOnlySpan<double> row, Span<float> sample)
    {
        var (number, indicator, id) = (0, Numbers, Numbers + Indicators);
        for (var column = 0; column < row.Length; column++)
        {
            if (Columns[column] is not NumberEncoding encoding)
            {
                sample[id++] = (float)row[column];
                continue;
            }

            var isGap = double.IsNaN(row[column]);
            var value = (float)(((isGap ? encoding.Fill : row[column]) - encoding.Mean) / encoding.Deviation);
            if (!float.IsFinite(value))
                return column;
            sample[number++] = value;
            if (encoding.HasGaps)
                sample[indicator++] = isGap ? 1 : 0;
        }

        return row.Length;
    }

    // Parameters are named after columns, so that two of one name are told apart by their places.
    private static string NameOf(int column, IReadOnlyList<string>? names)
    {
        var place = column.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (names is null || names[column].Length == 0)
            return place;
        return names.Count(name => name == names[column]) == 1 ? names[column] : $"{names[column]}.{place}";
    }

    private static void Check(ColumnEncoding column)
    {
        var isRight = column switch
        {
            NumberEncoding number => double.IsFinite(number.Mean)
                && double.IsFinite(number.Fill)
                && double.IsFinite(number.Deviation)
                && number.Deviation > 0,
            CategoryEncoding category => category.Size <= CategoryColumn.MaximumSize
                && category.Words.Distinct(StringComparer.Ordinal).Count() == category.Words.Count,
            _ => false,
        };
        if (!isRight)
            throw new ArgumentException($"a column cannot be encoded by {column}", nameof(column));
    }
}
