using System.Runtime.InteropServices;
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
    private readonly List<int> _rows = [];
    private float[] _ids = [];
    private int _call;

    /// <summary>The rows of a step.</summary>
    /// <param name="indices">All samples of the batch.</param>
    /// <returns>All rows, where it would cost more to leave some alone.</returns>
    public TouchedRows Of(ReadOnlySpan<int> indices)
    {
        _call++; // of 2^31 steps
        _rows.Clear();
        if (_ids.Length < indices.Length)
            _ids = new float[indices.Length];
        var length = 0L;
        var columns = tables.Columns;
        for (var table = 0; table < columns.Length; table++)
        {
            var before = _rows.Count;
            samples.DecodeValue(indices, samples.Length - columns.Length + table, _ids);
            foreach (var id in _ids.AsSpan(0, indices.Length))
            {
                var row = columns[table].FirstRow + (int)id;
                if (_seen[row] == _call)
                    continue;
                _seen[row] = _call;
                _rows.Add(row);
            }

            length += (long)(_rows.Count - before) * columns[table].Dimension;
        }

        return TouchedRows.AreFew(tables, _rows.Count, length)
            ? new TouchedRows(tables, [.. CollectionsMarshal.AsSpan(_rows)])
            : _all.Value;
    }
}
