using System.Globalization;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>What was found out about the columns of a table, for people.</summary>
/// <param name="Columns">The features, in the order in which a model takes them.</param>
/// <param name="Warnings">What may be a mistake, a line each.</param>
internal sealed record TableReport(IReadOnlyList<ColumnReport> Columns, IReadOnlyList<string> Warnings)
{
    private const int FewRows = 20;

    /// <summary>Why classes or numbers are to be predicted; null where somebody has said so.</summary>
    public string? Task { get; init; }

    /// <summary>Describes a table by its training part.</summary>
    /// <param name="table">The table.</param>
    /// <param name="rows">The rows of the training part.</param>
    /// <param name="preprocessing">What was fitted on them.</param>
    public static TableReport Of(RawTable table, ReadOnlyMemory<int> rows, Preprocessing preprocessing)
    {
        var reports = new ColumnReport[table.Columns.Count];
        var warnings = new string?[table.Columns.Count];
        ParallelPieces.Run(reports.Length, place =>
        {
            var column = table.Columns[place];
            var gaps = Gaps(column.Values, rows.Span);
            var category = preprocessing.Table?.Columns[place] as CategoryEncoding;
            var reason = category is null ? "numbers" : Words(column, category);
            reports[place] = new(
                table.Names[place],
                category is not null,
                gaps == 0 ? reason : Text($"{reason}; {gaps} of {rows.Length} rows have a gap")
            );
            if (category is null && LooksLikeIdentifier(column, rows.Span, out var own))
            {
                warnings[place] = Text(
                    $"{table.Path}: {table.Names[place]}: {own} of {rows.Length} rows have a whole number of their own; if it is an identifier, leave it out with --ignore"
                );
            }
        });
        return new TableReport(reports, [.. warnings.OfType<string>()]);
    }

    private static int Gaps(ReadOnlySpan<double> values, ReadOnlySpan<int> rows)
    {
        var gaps = 0;
        foreach (var row in rows)
            gaps += double.IsNaN(values[row]) ? 1 : 0;
        return gaps;
    }

    private static string Words(RawColumn column, CategoryEncoding category)
    {
        var words = category.Words.Count(word => word.Length > 0);
        var first = string.Join(", ", column.Words.Take(3).Select(word => $"'{CsvText.Shorten(word)}'"));
        var rare = column.Words.Count - words;
        return Text($"words such as {first}: {words} categories")
            + (rare > 0 ? Text($", and {rare} words that are too rare for one of their own") : "");
    }

    private static bool LooksLikeIdentifier(RawColumn column, ReadOnlySpan<int> rows, out int own)
    {
        own = 0;
        if (rows.Length < FewRows)
            return false;
        Dictionary<double, int> counts = [];
        foreach (var row in rows)
        {
            var value = column.Values[row];
            if (double.IsNaN(value))
                continue;
            if (!double.IsInteger(value))
                return false;
            counts[value] = counts.GetValueOrDefault(value) + 1;
        }

        own = counts.Values.Count(count => count == 1);
        return 2L * own > rows.Length;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a column holds, and why it is taken for that.</summary>
/// <param name="Name">How messages name it: <c>column 'age'</c>.</param>
/// <param name="IsCategory">Whether it holds categories; otherwise numbers.</param>
/// <param name="Reason">What was seen in it.</param>
internal readonly record struct ColumnReport(string Name, bool IsCategory, string Reason);
