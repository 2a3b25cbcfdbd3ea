using Distributed.Data;
using Distributed.Kernels.Embeddings;

namespace Distributed.Training;

/// <summary>
/// Finds the rows of tables that the samples of a step take: a pure function of the samples, in the order of the batch. One thread at a time
/// may ask.
/// </summary>
/// <param name="tables">The tables, one for each column of categories.</param>
/// <param name="samples">The training set; the ids are the last values of a sample.</param>
internal sealed class StepRows(EmbeddingShape tables, SampleSet samples)
{
    private readonly Lazy<TouchedRows> _all = new(() => TouchedRows.All(tables));
    private readonly int[] _seen = new int[tables.RowCount]; // the call that has seen a row last
    private readonly int[] _counts = new int[tables.Columns.Length];
    private float[] _ids = []; // [samples, tables]
    private int[] _rows = []; // [tables, samples], of which the first ones of each table count
    private int _call;

    /// <summary>The rows of a step.</summary>
    /// <param name="indices">All samples of the batch.</param>
    /// <returns>All rows, where it would cost more to leave some alone.</returns>
    public TouchedRows Of(ReadOnlySpan<int> indices)
    {
        var columns = tables.Columns;
        var length = checked(indices.Length * columns.Length);
        if (_ids.Length < length)
            (_ids, _rows) = (new float[length], new int[length]);
        samples.DecodeValues(indices, samples.Length - columns.Length, columns.Length, _ids.AsSpan(0, length));
        Collect(indices.Length);
        var (count, values) = (0, 0L);
        for (var table = 0; table < columns.Length; table++)
            (count, values) = (count + _counts[table], values + ((long)_counts[table] * columns[table].Dimension));
        return TouchedRows.AreFew(tables, count, values) ? new TouchedRows(tables, Rows(indices.Length, count)) : _all.Value;
    }

    // Whether a row is new cannot be foretold, so that a branch would cost more than the rest: each is written down, and counts if it is.
    private void Collect(int count)
    {
        var call = ++_call; // of 2^31 steps
        var columns = tables.Columns;
        for (var table = 0; table < columns.Length; table++)
        {
            var first = columns[table].FirstRow;
            var seen = _seen.AsSpan(first, columns[table].Rows); // in a cache while its samples pass by
            var rows = _rows.AsSpan(table * count, count);
            var ids = _ids.AsSpan(0, count * columns.Length);
            var found = 0;
            for (var place = table; place < ids.Length; place += columns.Length)
            {
                var id = float.ConvertToIntegerNative<int>(ids[place]);
                rows[found] = first + id;
                found += seen[id] == call ? 0 : 1;
                seen[id] = call;
            }

            _counts[table] = found;
        }
    }

    private int[] Rows(int samples, int count)
    {
        var rows = new int[count];
        var place = 0;
        for (var table = 0; table < _counts.Length; table++)
        {
            _rows.AsSpan(table * samples, _counts[table]).CopyTo(rows.AsSpan(place));
            place += _counts[table];
        }

        return rows;
    }
}
