using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distributed.Data.Formats;

namespace Distributed.Data.Tables;

/// <summary>The rows of a table as samples of a preprocessing that was fitted on this table or another.</summary>
internal sealed class TableRows : RawSamples
{
    private const int TileRows = 64;

    private readonly RawTable _table;
    private readonly Preprocessing _preprocessing;
    private readonly double[]?[] _ids; // of a column of categories: the id of each of its words, and behind them that of a gap

    /// <summary>Looks the table's words up.</summary>
    /// <param name="table">The table, of the columns that the preprocessing has.</param>
    /// <param name="preprocessing">The preprocessing.</param>
    public TableRows(RawTable table, Preprocessing preprocessing)
    {
        _table = table;
        _preprocessing = preprocessing;
        _ids = [.. table.Columns.Select((column, place) => Ids(column, preprocessing.Table?.Columns[place]))];
    }

    /// <inheritdoc />
    public override int Count => _table.RowCount;

    /// <inheritdoc />
    public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination)
    {
        var length = _preprocessing.SampleLength(_table.Columns.Count);
        Encode([.. Enumerable.Range(first, destination.Length / length)], destination);
    }

    /// <summary>Chosen rows in stored form: little-endian 32-bit floats.</summary>
    /// <param name="rows">[n], the rows.</param>
    /// <param name="destination">[n, values of a sample]; overwritten.</param>
    /// <exception cref="InputException">A value does not fit in a 32-bit float.</exception>
    public void Store(ReadOnlySpan<int> rows, Span<float> destination)
    {
        _table.ReadSoon(rows[0], rows[^1] - rows[0] + 1);
        Encode(rows, destination);
        var bits = MemoryMarshal.Cast<float, int>(destination);
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(bits, bits);
    }

    private static double[]? Ids(RawColumn column, ColumnEncoding? encoding)
    {
        if (encoding is not CategoryEncoding category)
            return null;
        var ids = category.Ids();
        return [.. column.Words.Append("").Select(word => (double)ids.GetValueOrDefault(word))];
    }

    /// <summary>Turns rows into samples, a few at a time, so that each column is read along its own order.</summary>
    private void Encode(ReadOnlySpan<int> rows, Span<float> destination)
    {
        var columns = _table.Columns.Count;
        var length = _preprocessing.SampleLength(columns);
        var raw = new double[Math.Min(TileRows, rows.Length) * columns];
        while (!rows.IsEmpty)
        {
            var tile = rows[..Math.Min(TileRows, rows.Length)];
            for (var column = 0; column < columns; column++)
                Gather(column, tile, raw.AsSpan(column), columns);
            for (var row = 0; row < tile.Length; row++)
                Encode(tile[row], raw.AsSpan(row * columns, columns), destination.Slice(row * length, length));
            rows = rows[tile.Length..];
            destination = destination[(tile.Length * length)..];
        }
    }

    /// <summary>Takes the values of a column, ids for words.</summary>
    /// <param name="column">The column.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="destination">[rows, stride]: the first of each stride is overwritten.</param>
    /// <param name="stride">Values between two rows of the destination.</param>
    private void Gather(int column, ReadOnlySpan<int> rows, Span<double> destination, int stride)
    {
        var values = _table.Columns[column].Values;
        var ids = _ids[column];
        for (var i = 0; i < rows.Length; i++)
        {
            var value = values[rows[i]];
            destination[i * stride] =
                ids is null ? value
                : double.IsNaN(value) ? ids[^1]
                : ids[(int)value];
        }
    }

    private void Encode(int row, ReadOnlySpan<double> raw, Span<float> sample)
    {
        var problem = _preprocessing.Encode(raw, sample);
        if (problem == raw.Length)
            return;
        throw FileErrors.In(
            _table.Path,
            double.IsNaN(raw[problem])
                ? $"row {row}: {_table.Names[problem]} is empty; the model was trained without gaps and without standardised columns, so that nothing can take its place"
                : $"row {row}: {_table.Names[problem]} is too far from the training mean to be standardised; see --standardize off"
        );
    }
}
