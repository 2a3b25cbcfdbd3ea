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
}
