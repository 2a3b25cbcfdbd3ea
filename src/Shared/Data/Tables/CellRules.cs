using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>What becomes of the cells of a table.</summary>
/// <param name="Dialect">How numbers are written in texts.</param>
/// <param name="Gaps">The texts that stand for gaps.</param>
/// <param name="Split">Which rows are held back, so that they say nothing about the columns.</param>
/// <param name="Places">Names the places of cells.</param>
internal sealed record CellRules(CsvDialect Dialect, GapTexts Gaps, RowSplit Split, RowPlaces Places)
{
    /// <summary>
    /// Whether labels are kept as they are written, however many there are; otherwise a target of many different numbers is numbers alone.
    /// </summary>
    public bool KeepsLabelTexts { get; init; }

    /// <summary>Whether a row counts for what a column holds.</summary>
    public bool Decides(int row) => Split.PartOf(row) == DataPart.Train;
}
