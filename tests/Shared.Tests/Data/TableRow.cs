using System.Globalization;

namespace Distributed.Shared.Tests.Data;

/// <summary>A row with a value of every kind that a table takes, gaps among them.</summary>
internal sealed record TableRow(bool Flag, int? Number, long Large, float? Single, double Real, decimal? Price, string? Color, string Kind)
{
    public static TableRow Of(int row) =>
        new(
            row % 3 == 0,
            row % 7 == 1 ? null : row * 11 % 13,
            9007199254740993 - (row * 1_000_003L),
            row % 5 == 2 ? null : 0.1f * row,
            row % 11 == 4 ? double.NaN : row / 7.0,
            row % 6 == 3 ? null : row * 1.25m,
            row % 4 == 1
                ? null
                : (row % 3) switch
                {
                    0 => "red",
                    1 => "blue",
                    _ => " dark red ",
                },
            row % 3 == 0 ? "b" : "a"
        );

    /// <summary>The rows as text, each value as .NET writes it.</summary>
    public static string Csv(IEnumerable<TableRow> rows) =>
        "flag,number,large,single,real,price,color,kind\n"
        + string.Concat(
            rows.Select(row =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{row.Flag},{row.Number},{row.Large},{row.Single},{row.Real},{row.Price},{row.Color},{row.Kind}\n"
                )
            )
        );
}
