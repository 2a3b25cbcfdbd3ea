using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of the column that says how much each row counts in training, which one thread fills in their order.</summary>
/// <param name="name">How messages name the column.</param>
/// <param name="weights">[rows of the table], shared with the other stretches.</param>
/// <param name="first">The first row.</param>
/// <param name="rules">How numbers are written, and how places are named.</param>
internal sealed class WeightStretch(string name, Memory<float> weights, int first, CellRules rules)
{
    private ColumnWriter<float> _weights = new(weights, first);

    /// <summary>Adds a cell.</summary>
    /// <exception cref="InputException">It is no number of at least 0 that fits in a 32-bit float.</exception>
    public void Add(CsvCell cell, long place)
    {
        if (!rules.Dialect.TryParse(cell.Text.Trim((byte)' '), out var weight) || weight < 0 || !float.IsFinite((float)weight))
        {
            throw rules.Places.Refuse(
                place,
                $"{name}: '{CsvText.Shorten(CsvText.Of(cell, place, rules.Places))}' is no weight; write how much the sample counts, a number of at least 0"
            );
        }

        _weights.Add((float)weight);
    }

    /// <summary>Says that all rows are there.</summary>
    public void End() => _weights.Flush();
}
