using System.Globalization;

namespace Distributed.Data.Tables;

/// <summary>Fits the preprocessing of a table on its training part, in exact operations and in the order of the rows.</summary>
internal static class TableFit
{
    // Words that occur less often share a row with those that training never sees, so that this row is trained at all. In small tables
    // every word would be rare.
    private const int RareBelow = 5;
    private const int RowsOfSmallTable = 1000;

    /// <summary>Fits all columns.</summary>
    /// <param name="table">The table.</param>
    /// <param name="rows">The rows of the training part, at least one.</param>
    /// <param name="standardize">Whether numbers are brought to mean 0 and deviation 1.</param>
    /// <param name="missing">The texts that stand for gaps.</param>
    /// <exception cref="InputException">A column says nothing, or each row has a word of its own; all columns' problems are told.</exception>
    public static Preprocessing Of(RawTable table, ReadOnlyMemory<int> rows, bool standardize, GapTexts missing)
    {
        var encodings = new ColumnEncoding[table.Columns.Count];
        var refusals = new string?[table.Columns.Count];
        ParallelPieces.Run(encodings.Length, column =>
        {
            try
            {
                encodings[column] = table.Scan(column, values => Fit(values, rows.Span, standardize));
            }
            catch (InputException problem)
            {
                refusals[column] = $"{table.Names[column]}: {problem.Message}";
            }
        });
        List<string> problems = [.. refusals.OfType<string>()];
        if (problems.Count > 0)
            throw FileErrors.AllIn(table.Path, problems);
        if (Array.Exists(encodings, encoding => encoding is CategoryEncoding or NumberEncoding { HasGaps: true }))
            return Preprocessing.Of(new TableEncoding(encodings, missing.Texts));
        if (!standardize)
            return Preprocessing.None;
        var numbers = encodings.Cast<NumberEncoding>().ToList();
        return Preprocessing.Standardized([.. numbers.Select(number => number.Mean)], [.. numbers.Select(number => number.Deviation)]);
    }

    private static ColumnEncoding Fit(RawColumn column, ReadOnlySpan<int> rows, bool standardize)
    {
        if (column.Kind == ColumnKind.Category)
            return FitCategory(column, rows);
        var (present, mean, deviation) = Standardization.Measure(column.Values, rows);
        if (present == 0)
            throw new InputException("no row of the training part has a value; leave it out with --ignore");
        return new NumberEncoding(standardize ? mean : 0, standardize ? deviation : 1, mean, present < rows.Length);
    }

    private static CategoryEncoding FitCategory(RawColumn column, ReadOnlySpan<int> rows)
    {
        var counts = new int[column.Words.Count];
        var gaps = 0;
        foreach (var row in rows)
        {
            if (double.IsNaN(column.Values[row]))
                gaps++;
            else
                counts[(int)column.Values[row]]++;
        }

        var single = counts.Count(count => count == 1);
        if (2L * single > rows.Length)
        {
            throw new InputException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{single} of {rows.Length} rows of the training part have a word of their own, such as '{Formats.Csv.CsvText.Shorten(column.Words[Array.IndexOf(counts, 1)])}': nothing can be learnt from it; leave it out with --ignore"
                )
            );
        }

        var rare = Math.Min(RareBelow, 2 + (rows.Length / RowsOfSmallTable));
        List<string> words = [.. column.Words.Where((_, place) => counts[place] >= rare)];
        if (gaps > 0)
            words.Add("");
        if (words.Count == 0)
            throw new InputException("no word occurs more than once in the training part; leave it out with --ignore");
        words.Sort(string.CompareOrdinal);
        return new CategoryEncoding(words);
    }
}
