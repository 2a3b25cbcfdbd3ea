namespace Distributed.Kernels.Embeddings;

/// <summary>
/// Finds the place of a row among those that a step touches, without any search: each row remembers a place, which counts if the row stands
/// there (P. Briggs and L. Torczon, "An efficient representation for sparse sets", 1993). Nothing is cleared from step to step.
/// </summary>
/// <param name="shape">The tables.</param>
internal sealed class RowPlaces(EmbeddingShape shape)
{
    private readonly int[] _places = new int[shape.RowCount];

    /// <summary>The rows of the step; null before the first.</summary>
    public TouchedRows? Rows { get; private set; }

    /// <summary>[rows of all tables]: the place of each that is touched.</summary>
    internal ReadOnlySpan<int> Places => _places;

    /// <summary>Takes the rows of a step.</summary>
    public void Set(TouchedRows rows)
    {
        Rows = rows;
        for (var place = 0; place < rows.Rows.Length; place++)
            _places[rows.Rows[place]] = place;
    }

    /// <summary>Whether the step touches a row.</summary>
    /// <param name="row">The row, counted over all tables.</param>
    public bool Contains(int row) => Rows is { } rows && _places[row] is var place && place < rows.Rows.Length && rows.Rows[place] == row;

    /// <summary>Refuses samples that take other rows.</summary>
    /// <exception cref="ArgumentException">One does.</exception>
    public void Require(EmbeddingIds ids)
    {
        var columns = ids.Shape.Columns;
        for (var column = 0; column < columns.Length; column++)
        {
            foreach (var id in ids.Values.Slice(column * ids.Stride, ids.Rows))
            {
                if (!Contains(columns[column].FirstRow + id))
                    throw new ArgumentException($"row {id} of table {column} is not among those of the step");
            }
        }
    }
}
