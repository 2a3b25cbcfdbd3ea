using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Finds out what the columns of a table hold, from the training part alone.</summary>
internal static partial class ColumnKinds
{
    private const int TextsShown = 3;
    private const int WordsLookedAt = 100;

    private static readonly string[] DateForms =
    [
        "yyyy-M-d",
        "yyyy/M/d",
        "d.M.yyyy",
        "d/M/yyyy",
        "M/d/yyyy",
        "d-MMM-yyyy",
        "d MMM yyyy",
        "MMM d, yyyy",
    ];

    private static readonly string[] TimeForms = ["", " H:m", " H:m:s", " H:m:s.FFFFFFF", "THH:mm", "THH:mm:ssK", "THH:mm:ss.FFFFFFFK"];

    private static readonly string[] DateTimeForms = [.. DateForms.SelectMany(date => TimeForms.Select(time => date + time))];

    /// <summary>Decides on a column that was read without knowing what it holds.</summary>
    /// <param name="column">The column.</param>
    /// <param name="trainRows">The rows of the training part.</param>
    /// <param name="rules">How numbers are written, and how places are named.</param>
    /// <param name="workspace">Where numbers are sorted.</param>
    /// <param name="problem">What only a person can tell, with the remedy; null if all is clear.</param>
    public static ColumnKind Decide(
        RawColumn column,
        ReadOnlySpan<int> trainRows,
        CellRules rules,
        Workspace workspace,
        out string? problem
    )
    {
        problem = null;
        if (column.Words.Count == 0)
            return ColumnKind.Number;
        var numbers = DistinctNumbers.Count(column.Values, trainRows, workspace);
        var isAlways = (Func<string, bool> test) => column.Words.Take(WordsLookedAt).All(test);
        if (isAlways(text => rules.Dialect.WouldBeNumber(Encoding.UTF8.GetBytes(text))))
        {
            problem = $"{Some(column, rules.Places)}: if these are numbers with a decimal comma, say --decimal-comma on";
        }
        else if (isAlways(text => Amount().IsMatch(text)))
        {
            problem =
                $"{Some(column, rules.Places)}: write numbers without thousands separators, currencies and percent signs, or name the column with "
                + "--categorical if these are categories";
        }
        else if (numbers > column.Words.Count)
        {
            problem =
                $"{Some(column, rules.Places)} among {numbers} different numbers; if they stand for gaps, name them with --missing, "
                + "if the numbers are categories, name the column with --categorical";
        }
        else if (numbers == 0 && isAlways(IsDate))
        {
            problem =
                $"it holds dates such as '{CsvText.Shorten(column.Words[0])}'; leave it out with --ignore, or replace it by numbers "
                + "such as year, month and weekday";
        }

        return ColumnKind.Category;
    }

    [GeneratedRegex(@"^[-+]?[$€£¥]?\s?(\d{1,3}([ ,.'\u00a0\u202f]\d{3})+|\d+)([.,]\d+)?\s?[%$€£¥]?$", RegexOptions.CultureInvariant)]
    private static partial Regex Amount();

    private static string Some(RawColumn column, RowPlaces places)
    {
        var shown = column
            .Words.Zip(column.Places)
            .Take(TextsShown)
            .Select(text => $"'{CsvText.Shorten(text.First)}' ({places.Of(text.Second)})");
        var more = column.Words.Count > TextsShown ? $" and {column.Words.Count - TextsShown} more" : "";
        return $"{string.Join(", ", shown)}{more}";
    }

    private static bool IsDate(string text) =>
        DateTime.TryParseExact(text, DateTimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out _);
}
