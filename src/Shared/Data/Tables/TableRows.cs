using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distributed.Data.Formats;

namespace Distributed.Data.Tables;

/// <summary>The rows of a table as samples of a preprocessing that was fitted on this table or another.</summary>
internal sealed class TableRows : RawSamples
{
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
        var raw = new double[_table.Columns.Count];
        for (var row = first; !destination.IsEmpty; row++, destination = destination[length..])
            Encode(row, raw, destination[..length]);
    }

    /// <summary>Chosen rows in stored form: little-endian 32-bit floats.</summary>
    /// <exception cref="InputException">They do not fit: a value in a 32-bit float, or all of them in one array.</exception>
    public byte[] Store(int[] rows)
    {
        var sample = new float[_preprocessing.SampleLength(_table.Columns.Count)];
        var length = (long)rows.Length * sample.Length * sizeof(float);
        if (length > Array.MaxLength)
        {
            throw FileErrors.In(
                _table.Path,
                $"{rows.Length} rows of {sample.Length} numbers are more than {Array.MaxLength} bytes; split it"
            );
        }

        var stored = new byte[length];
        var raw = new double[_table.Columns.Count];
        var bits = MemoryMarshal.Cast<float, int>(sample.AsSpan());
        for (var i = 0; i < rows.Length; i++)
        {
            Encode(rows[i], raw, sample);
            var destination = stored.AsSpan(i * sample.Length * sizeof(float), sample.Length * sizeof(float));
            if (!BitConverter.IsLittleEndian)
                BinaryPrimitives.ReverseEndianness(bits, bits);
            MemoryMarshal.AsBytes(sample.AsSpan()).CopyTo(destination);
        }

        return stored;
    }

    private static double[]? Ids(RawColumn column, ColumnEncoding? encoding)
    {
        if (encoding is not CategoryEncoding category)
            return null;
        var ids = category.Ids();
        return [.. column.Words.Append("").Select(word => (double)ids.GetValueOrDefault(word))];
    }

    private void Encode(int row, double[] raw, Span<float> sample)
    {
        for (var column = 0; column < raw.Length; column++)
        {
            var value = _table.Columns[column].Values[row];
            raw[column] = _ids[column] is { } ids ? ids[double.IsNaN(value) ? ^1 : (int)value] : value;
        }

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
