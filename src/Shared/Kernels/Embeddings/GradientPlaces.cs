namespace Distributed.Kernels.Embeddings;

/// <summary>Where the rows of tables lie in a gradient, as the kernel's inner loops take it: all of them, or those that a step touches.</summary>
/// <param name="places">[rows of all tables], see <see cref="RowPlaces"/>; null where all rows lie in their order.</param>
/// <param name="rows">The touched rows.</param>
/// <param name="firstPlaces">[tables + 1].</param>
/// <param name="offsets">[tables].</param>
/// <param name="refused">Receives a table, counted from 1, and a row of it that is not touched though a sample takes it.</param>
internal readonly unsafe struct GradientPlaces(int* places, int* rows, int* firstPlaces, int* offsets, int* refused)
{
    /// <summary>Whether all rows have a place.</summary>
    public bool AreAll => places is null;

    /// <summary>Number of rows of a table that have a place.</summary>
    public int CountOf(int table, in EmbeddingColumn column) => AreAll ? column.Rows : firstPlaces[table + 1] - firstPlaces[table];

    /// <summary>Where the first of them lies.</summary>
    public int OffsetOf(int table, in EmbeddingColumn column) => AreAll ? column.TableOffset : offsets[table];

    /// <summary>The place of a row among those of its table that are touched; below 0, or too large, if it is none of them.</summary>
    public int Find(int table, in EmbeddingColumn column, int id)
    {
        var row = column.FirstRow + id;
        var place = places[row];
        return (uint)place < (uint)firstPlaces[table + 1] && rows[place] == row ? place - firstPlaces[table] : -1;
    }

    /// <returns>False.</returns>
    public bool Refuse(int table, int id)
    {
        (refused[0], refused[1]) = (table + 1, id);
        return false;
    }
}
