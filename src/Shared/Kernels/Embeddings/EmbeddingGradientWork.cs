using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The gradients of the table rows that have a place in it; those that no sample has taken get +0. A chunk has whole columns, so that each
/// table row is summed by one thread. The samples of a column are put into lists by their table rows first, and each list is summed in
/// registers: what a sum costs is a load for each sample, and one store.
/// </summary>
/// <param name="operands">The ids of the pass.</param>
/// <param name="places">Where table rows lie in the gradient.</param>
/// <param name="microbatch">Samples of a microbatch.</param>
/// <param name="outputGradient">[samples, numbers and table rows].</param>
/// <param name="tablesGradient">The gradient; places are overwritten.</param>
/// <param name="scratch">[chunks, <paramref name="scratchLength"/>].</param>
/// <param name="scratchLength">See <see cref="ScratchLength"/>.</param>
internal readonly unsafe struct EmbeddingGradientWork(
    EmbeddingOperands operands,
    GradientPlaces places,
    int microbatch,
    float* outputGradient,
    float* tablesGradient,
    float* scratch,
    int scratchLength
) : IVectorizedWork
{
    private const int None = -1;

    /// <summary>Partial sums on the stack: one for each level of a tree over 2^31 microbatches.</summary>
    private const int Levels = 32;

    /// <summary>Floats of a partial sum: two of the widest vectors.</summary>
    private const int SlotLength = 32;

    /// <summary>Table rows whose first sample's gradient is requested before they are summed.</summary>
    private const int RowsAhead = 32;

    /// <summary>Floats of scratch memory for each chunk, which hold integers, in whole cache lines.</summary>
    /// <param name="ids">The ids of the pass.</param>
    /// <param name="touched">The rows of the step, which alone have places; null where all rows have theirs.</param>
    public static int ScratchLength(EmbeddingIds ids, TouchedRows? touched)
    {
        var columns = ids.Shape.Columns;
        var most = 0;
        for (var i = 0; i < columns.Length; i++)
            most = Math.Max(most, touched is null ? columns[i].Rows : touched.FirstPlaces[i + 1] - touched.FirstPlaces[i]);
        return checked((most + RowsAhead + (2 * ids.Rows) + 1 + CacheLine.Length - 1) / CacheLine.Length * CacheLine.Length);
    }

    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var sums = stackalloc float[Levels * SlotLength];
        var leaves = stackalloc int[Levels];
        Partials partials = new(sums, leaves);
        var memory = (int*)(scratch + ((nint)chunk * scratchLength));
        var next = memory;
        var leafOf = next + operands.Rows + 1;
        leafOf[None] = None;
        for (var row = 0; row < operands.Rows; row++)
            leafOf[row] = row / microbatch;
        var (i, end) = ChunkRange.Of(operands.ColumnCount, 1, chunk, chunks);
        for (; i < end; i++)
        {
            ref var column = ref operands.Columns[i];
            var rows = places.CountOf(i, column);
            SampleLists lists = new(leafOf + operands.Rows, rows, next, leafOf);
            if (!Link(i, column, lists))
                return;
            Column<TLanes, TVector>(
                lists,
                outputGradient + column.OutputOffset,
                column.Dimension,
                tablesGradient + places.OffsetOf(i, column),
                partials
            );
        }
    }

    /// <summary>From the last sample to the first, so that each list begins with its first.</summary>
    /// <returns>Whether all rows have a place.</returns>
    private bool Link(int table, in EmbeddingColumn column, in SampleLists lists)
    {
        int* first = lists.First,
            next = lists.Next;
        new Span<int>(first, lists.Rows + RowsAhead).Fill(None);
        var ids = operands.IdsOf(table);
        var row = operands.Rows - 1;
        if (places.AreAll)
        {
            for (; row >= 0; row--)
            {
                next[row] = first[ids[row]];
                first[ids[row]] = row;
            }

            return true;
        }

        for (; row >= 0; row--)
        {
            var place = places.Find(table, column, ids[row]);
            if ((uint)place >= (uint)lists.Rows)
                return places.Refuse(table, ids[row]);
            next[row] = first[place];
            first[place] = row;
        }

        return true;
    }

    /// <summary>Sums table rows in the widest vectors that they fill: many tables have rows of a few values.</summary>
    private void Column<TLanes, TVector>(in SampleLists lists, float* gradient, int dimension, float* destination, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (dimension >= TLanes.Count)
            Vectors<TLanes, TVector>(lists, gradient, dimension, destination, partials);
        else if (TLanes.Count > Lanes256.Count && dimension >= Lanes256.Count)
            Vectors<Lanes256, Vector256<float>>(lists, gradient, dimension, destination, partials);
        else if (TLanes.Count > Lanes128.Count && dimension >= Lanes128.Count)
            Vectors<Lanes128, Vector128<float>>(lists, gradient, dimension, destination, partials);
        else
            Vectors<LanesScalar, float>(lists, gradient, dimension, destination, partials);
    }

    /// <summary>
    /// Two vectors at a time, or the one that there is. The last ones end where the row ends, and overlap those before them: what is summed twice
    /// has the same bits.
    /// </summary>
    private void Vectors<TLanes, TVector>(in SampleLists lists, float* gradient, int dimension, float* destination, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (dimension == TLanes.Count)
        {
            Rows<TLanes, TVector, One>(lists, gradient, 0, destination, dimension, partials);
            return;
        }

        var last = dimension - TLanes.Count;
        for (var j = 0; j < dimension; j += 2 * TLanes.Count)
        {
            int left = Math.Min(j, last),
                right = Math.Min(j + TLanes.Count, last);
            Rows<TLanes, TVector, Two>(lists, gradient + left, right - left, destination + left, dimension, partials);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rows<TLanes, TVector, TVectors>(
        in SampleLists lists,
        float* gradient,
        nint right,
        float* destination,
        int dimension,
        in Partials partials
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant
    {
        var first = lists.First;
        nint stride = operands.OutputLength;
        for (var end = first + lists.Rows; first < end; first++, destination += dimension)
        {
            var later = gradient + (Math.Max(first[RowsAhead], 0) * stride);
            CacheLine.Fetch(later);
            CacheLine.Fetch(later + right + TLanes.Count - 1);
            TVector sum = default, // +0
                rightSum = default;
            if (*first != None)
                Sum<TLanes, TVector, TVectors>(*first, lists, gradient, right, partials, ref sum, ref rightSum);
            TLanes.Store(sum, destination);
            if (TVectors.Value > 1)
                TLanes.Store(rightSum, destination + right);
        }
    }

    /// <summary>
    /// The sum over the samples of a list. Microbatches without such a sample are left out of the tree: they would add +0 to sums that are
    /// never -0, since they began at +0. Two partial sums meet below the next microbatch if their own common node lies lower than the
    /// one that they share with it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Sum<TLanes, TVector, TVectors>(
        int row,
        in SampleLists lists,
        float* gradient,
        nint right,
        in Partials partials,
        ref TVector sum,
        ref TVector rightSum
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant
    {
        int* nextRows = lists.Next,
            leafOf = lists.Microbatches;
        var leaf = leafOf[row];
        nint stride = operands.OutputLength;
        var leaves = partials.Leaves;
        var top = partials.Sums; // two vectors for each leaf that waits
        while (true)
        {
            var term = gradient + (row * stride);
            sum = TLanes.Add(sum, TLanes.Load(term));
            if (TVectors.Value > 1)
                rightSum = TLanes.Add(rightSum, TLanes.Load(term + right));
            row = nextRows[row];
            var next = leafOf[row];
            if (next == leaf)
                continue;
            if (next == None)
                break;
            for (; top > partials.Sums && Height(leaves[-1], leaf) < Height(leaf, next); leaves--)
                Merge<TLanes, TVector>(ref top, ref sum, ref rightSum);
            TLanes.Store(sum, top);
            TLanes.Store(rightSum, top + TLanes.Count);
            top += 2 * TLanes.Count;
            *leaves++ = leaf;
            (leaf, sum, rightSum) = (next, default, default);
        }

        while (top > partials.Sums)
            Merge<TLanes, TVector>(ref top, ref sum, ref rightSum);
    }

    /// <summary>Adds the sums to those of an earlier node, which is taken off the stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Merge<TLanes, TVector>(ref float* top, ref TVector sum, ref TVector rightSum)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        top -= 2 * TLanes.Count;
        sum = TLanes.Add(TLanes.Load(top), sum);
        rightSum = TLanes.Add(TLanes.Load(top + TLanes.Count), rightSum);
    }

    /// <summary>How far above the leaves the lowest node lies that has both microbatches below it, less 1.</summary>
    private static int Height(int left, int right) => BitOperations.Log2((uint)(left ^ right));

    /// <summary>The samples of a column by their table rows, each list in ascending order.</summary>
    private readonly struct SampleLists(int* first, int rows, int* next, int* microbatches)
    {
        /// <summary>Table rows that have a place.</summary>
        public readonly int Rows = rows;

        /// <summary>[Rows + RowsAhead]: the first sample of each, or none.</summary>
        public readonly int* First = first;

        /// <summary>[samples]: the sample after each, or none.</summary>
        public readonly int* Next = next;

        /// <summary>[samples]: the microbatch of each; none, of none.</summary>
        public readonly int* Microbatches = microbatches;
    }

    /// <summary>Sums of nodes of the tree that wait for their right siblings, each with one of its microbatches.</summary>
    private readonly struct Partials(float* sums, int* leaves)
    {
        public readonly float* Sums = sums;
        public readonly int* Leaves = leaves;
    }
}
