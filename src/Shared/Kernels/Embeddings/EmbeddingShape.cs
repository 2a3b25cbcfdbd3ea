namespace Distributed.Kernels.Embeddings;

/// <summary>The size of a table.</summary>
/// <param name="Rows">One for each category, at least 1.</param>
/// <param name="Dimension">Values of a row, at least 1.</param>
internal readonly record struct EmbeddingTable(int Rows, int Dimension);

/// <summary>Where a column's table and the rows taken from it lie.</summary>
/// <param name="TableOffset">First value of the table, among those of all tables.</param>
/// <param name="FirstRow">First row of the table, counted over all tables.</param>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Dimension">Values of a row.</param>
/// <param name="OutputOffset">First value of the row that a sample takes, among the sample's outputs.</param>
internal readonly record struct EmbeddingColumn(int TableOffset, int FirstRow, int Rows, int Dimension, int OutputOffset);

/// <summary>
/// What an embedding takes and gives: of each sample, numbers that pass through, and behind them one id for each table, in whose place
/// the table's row comes out. The tables lie one after the other, row by row. Immutable.
/// </summary>
internal sealed class EmbeddingShape
{
    private readonly EmbeddingColumn[] _columns;

    /// <summary>Lays out tables and outputs.</summary>
    /// <param name="numbers">Values of a sample before its ids.</param>
    /// <param name="tables">The tables in the order of the ids, at least one.</param>
    /// <exception cref="ArgumentException">There is no table, or a size is out of range.</exception>
    /// <exception cref="OverflowException">The tables together have more than 2^31 - 1 values.</exception>
    public EmbeddingShape(int numbers, IReadOnlyList<EmbeddingTable> tables)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(numbers);
        if (tables.Count == 0)
            throw new ArgumentException("an embedding needs a table", nameof(tables));
        _columns = new EmbeddingColumn[tables.Count];
        (Numbers, OutputLength) = (numbers, numbers);
        for (var i = 0; i < tables.Count; i++)
        {
            var (rows, dimension) = tables[i];
            ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1, nameof(tables));
            ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1, nameof(tables));
            _columns[i] = new EmbeddingColumn(TablesLength, RowCount, rows, dimension, OutputLength);
            RowCount += rows; // at most the number of values
            TablesLength = checked(TablesLength + (rows * dimension));
            OutputLength = checked(OutputLength + dimension);
        }
    }

    /// <summary>Values of a sample before its ids.</summary>
    public int Numbers { get; }

    /// <summary>Values of a sample: numbers and ids.</summary>
    public int InputLength => Numbers + _columns.Length;

    /// <summary>Values of a sample on the way out: numbers and a row of each table.</summary>
    public int OutputLength { get; }

    /// <summary>Rows of all tables.</summary>
    public int RowCount { get; }

    /// <summary>Values of all tables.</summary>
    public int TablesLength { get; }

    /// <summary>The columns of ids, in their order.</summary>
    public ReadOnlySpan<EmbeddingColumn> Columns => _columns;
}
