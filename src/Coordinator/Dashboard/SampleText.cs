using System.Globalization;
using Distributed.Data;
using Distributed.Data.Tables;

namespace Distributed.Coordinator.Dashboard;

/// <summary>The first columns of a sample as they are in the data.</summary>
/// <param name="dataset">The data.</param>
internal sealed class SampleText(Dataset dataset)
{
    /// <summary>Columns that are shown: a page is no spreadsheet.</summary>
    public const int MostColumns = 8;

    private const double Resolution = 1e-6; // of a deviation: what is less has come by standardising in single precision
    private const double MostPlain = 1e15;
    private const double LeastRounded = 1e5;

    /// <summary>A number as people read it: five significant digits, and all of a larger whole part.</summary>
    /// <param name="value">The number.</param>
    /// <param name="deviation">How far such numbers lie apart.</param>
    public static string Number(double value, double deviation = 0)
    {
        var shown = Math.Abs(value) < Resolution * deviation ? 0 : value;
        return shown.ToString(Math.Abs(shown) is >= LeastRounded and < MostPlain ? "0" : "G5", CultureInfo.InvariantCulture);
    }

    /// <summary>The columns of a sample of the test set.</summary>
    public IReadOnlyList<SampleValue> Values(int sample)
    {
        var values = new float[dataset.Shape.Length];
        dataset.Test.Decode([sample], values);
        var preprocessing = dataset.Preprocessing;
        var texts = preprocessing.Table is { } table
            ? Texts(table, values)
            : values
                .Take(MostColumns)
                .Select((value, column) => Number(InOwnUnits(preprocessing, value, column), DeviationOf(preprocessing, column)));
        return [.. texts.Take(MostColumns).Select((text, column) => new SampleValue(NameOf(column), Printable.Of(text)))];
    }

    private string NameOf(int column) =>
        dataset.Columns is { } names && names.Features[column].Length > 0
            ? Printable.Of(names.Features[column])
            : string.Create(CultureInfo.InvariantCulture, $"column {column + 1}");

    private static double DeviationOf(Preprocessing preprocessing, int column) =>
        preprocessing.Deviations.Count > 0 ? preprocessing.Deviations[column] : 0;

    private static double InOwnUnits(Preprocessing preprocessing, float value, int column) =>
        preprocessing switch
        {
            { ByteDivisor: { } divisor } => value * divisor,
            { Means.Count: > 0 } => (value * preprocessing.Deviations[column]) + preprocessing.Means[column],
            _ => value,
        };

    // A sample is [numbers, indicators of gaps, ids], each in the order of their columns.
    private static IEnumerable<string> Texts(TableEncoding table, float[] values)
    {
        var numbers = table.Columns.Count(column => column is NumberEncoding);
        var gaps = table.Columns.Count(column => column is NumberEncoding { HasGaps: true });
        var (number, gap, id) = (0, numbers, numbers + gaps);
        foreach (var column in table.Columns)
        {
            if (column is NumberEncoding encoding)
            {
                var isGap = encoding.HasGaps && values[gap++] != 0;
                var value = values[number++];
                yield return isGap ? "(missing)" : Number((value * encoding.Deviation) + encoding.Mean, encoding.Deviation);
            }
            else if (column is CategoryEncoding category)
            {
                var word = (int)values[id++] - 1;
                yield return word < 0 ? "(not seen in training)"
                : category.Words[word] is { Length: > 0 } text ? text
                : "(missing)";
            }
        }
    }
}
