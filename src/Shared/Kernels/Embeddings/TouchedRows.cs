using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The rows of tables that the samples of a step take, the same on all who take part in it: all other rows of the gradient are zero. In the
/// step's gradient these rows lie one after the other, table by table, right before the parameters that follow the tables; what lies before
/// <see cref="Start"/> has no meaning. Immutable.
/// </summary>
internal sealed class TouchedRows
{
    /// <summary>The most rows of a step whose others are left alone: 1 MiB of numbers, which fit into a message.</summary>
    public const int MostRows = 1 << 18;

    private readonly int[] _rows;
    private readonly int[] _first; // [tables + 1], by table: the place of its first row among the touched ones
    private readonly int[] _offsets; // [tables]: where that row lies in the gradient

    /// <summary>Takes rows.</summary>
    /// <param name="shape">The tables.</param>
    /// <param name="rows">Rows, counted over all tables; those of a table stand together, and the tables in their order.</param>
    /// <exception cref="ArgumentException">A row does not exist, or stands behind one of a later table.</exception>
    public TouchedRows(EmbeddingShape shape, int[] rows)
    {
        Shape = shape;
        _rows = rows;
        var columns = shape.Columns;
        _first = new int[columns.Length + 1];
        _offsets = new int[columns.Length];
        var place = 0;
        for (var table = 0; table < columns.Length; table++)
        {
            _first[table] = place;
            var end = columns[table].FirstRow + columns[table].Rows;
            while (place < rows.Length && rows[place] >= columns[table].FirstRow && rows[place] < end)
                place++;
            Length = checked(Length + ((place - _first[table]) * columns[table].Dimension));
        }

        _first[columns.Length] = place;
        if (place < rows.Length)
            throw new ArgumentException($"row {rows[place]} at place {place} is none of the tables' rows in their order", nameof(rows));
        if (Length > shape.TablesLength)
            throw new ArgumentException($"{rows.Length} rows are more than there are", nameof(rows));
        var offset = shape.TablesLength - Length;
        Start = offset / CacheLine.Length * CacheLine.Length;
        for (var table = 0; table < columns.Length; table++)
        {
            _offsets[table] = offset;
            offset += (_first[table + 1] - _first[table]) * columns[table].Dimension;
        }
    }

    /// <summary>The tables.</summary>
    public EmbeddingShape Shape { get; }

    /// <summary>The rows, counted over all tables.</summary>
    public ReadOnlySpan<int> Rows => _rows;

    /// <summary>Values of all these rows.</summary>
    public int Length { get; }

    /// <summary>Where the step's gradient begins, a multiple of a cache line.</summary>
    public int Start { get; }

    /// <summary>[tables + 1]: the place of each table's first row among <see cref="Rows"/>.</summary>
    internal ReadOnlySpan<int> FirstPlaces => _first;

    /// <summary>[tables]: where that row lies in the gradient.</summary>
    internal ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>Whether these are all rows, in their order: then the gradient is that of all parameters.</summary>
    public bool AreAll => _rows.Length == Shape.RowCount;

    /// <summary>All rows.</summary>
    public static TouchedRows All(EmbeddingShape shape) => new(shape, [.. Enumerable.Range(0, shape.RowCount)]);

    /// <summary>
    /// Whether it costs less to exchange and apply rows alone than whole tables: a pure function, so that all who take part decide alike. Below
    /// half of the values, what finding them costs is won back.
    /// </summary>
    /// <param name="shape">The tables.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="length">Values of these rows.</param>
    public static bool AreFew(EmbeddingShape shape, int rows, long length) => rows <= MostRows && 2 * length <= shape.TablesLength;
}
