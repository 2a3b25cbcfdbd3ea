using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The gradients of the table rows that the pass has taken; the others stay as they are. A chunk has whole columns, so that each row is
/// summed by one thread, and costs what the samples cost, however large the tables are.
/// </summary>
internal readonly unsafe struct EmbeddingGradientWork(
    EmbeddingOperands operands,
    int microbatch,
    float* outputGradient,
    float* tablesGradient,
    TouchedOperands touched,
    float* scratch,
    int scratchLength
) : IVectorizedWork
{
    /// <summary>Partial sums on the stack: one for each level of a tree over 2^31 microbatches.</summary>
    private const int Levels = 32;

    /// <summary>Floats of a partial sum: two of the widest vectors.</summary>
    private const int SlotLength = 32;

    /// <summary>Floats of scratch memory for each chunk, which hold integers, in whole cache lines.</summary>
    public static int ScratchLength(int rows) =>
        checked((RowGroups.LengthFor(rows) + CacheLine.Length - 1) / CacheLine.Length * CacheLine.Length);

    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var sums = stackalloc float[Levels * SlotLength];
        var leaves = stackalloc int[Levels];
        Partials partials = new(sums, leaves);
        var memory = (int*)(scratch + ((nint)chunk * scratchLength));
        var (i, end) = ChunkRange.Of(operands.ColumnCount, 1, chunk, chunks);
        for (; i < end; i++)
            Column<TLanes, TVector>(i, operands.Columns[i], operands.IdsOf(i), memory, partials);
    }

    private void Column<TLanes, TVector>(int table, in EmbeddingColumn column, int* ids, int* memory, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        RowGroups groups = new(ids, operands.Rows, memory);
        var count = groups.Build();
        for (var group = 0; group < count; group++)
        {
            var first = groups.FirstOf(group);
            var destination = tablesGradient + touched.OffsetOf(table, column, ids[first]);
            TableRow<TLanes, TVector>(groups, first, outputGradient + column.OutputOffset, column.Dimension, destination, partials);
        }
    }

    /// <summary>Sums a table row in the widest vectors that it fills: many tables have rows of a few values.</summary>
    private void TableRow<TLanes, TVector>(
        in RowGroups groups,
        int first,
        float* gradient,
        int dimension,
        float* destination,
        in Partials partials
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (dimension >= TLanes.Count)
            Pairs<TLanes, TVector>(groups, first, gradient, dimension, destination, partials);
        else if (TLanes.Count > Lanes256.Count && dimension >= Lanes256.Count)
            Pairs<Lanes256, Vector256<float>>(groups, first, gradient, dimension, destination, partials);
        else if (TLanes.Count > Lanes128.Count && dimension >= Lanes128.Count)
            Pairs<Lanes128, Vector128<float>>(groups, first, gradient, dimension, destination, partials);
        else
            Pairs<LanesScalar, float>(groups, first, gradient, dimension, destination, partials);
    }

    /// <summary>
    /// Two vectors at a time. The last ones end where the row ends, and overlap those before them: what is summed twice has the same bits.
    /// </summary>
    private void Pairs<TLanes, TVector>(
        in RowGroups groups,
        int first,
        float* gradient,
        int dimension,
        float* destination,
        in Partials partials
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var last = dimension - TLanes.Count;
        for (var j = 0; j < dimension; j += 2 * TLanes.Count)
        {
            int left = Math.Min(j, last),
                right = Math.Min(j + TLanes.Count, last);
            Sum<TLanes, TVector>(groups, first, gradient + left, right - left, destination + left, partials);
        }
    }

    /// <summary>
    /// The sum over the rows of a group. Microbatches without such a row are left out of the tree: they would add +0 to sums that are
    /// never -0, since they began at +0. Two partial sums meet below the next microbatch if their own common node lies lower than the
    /// one that they share with it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum<TLanes, TVector>(in RowGroups groups, int row, float* gradient, nint right, float* destination, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int leaf = row / microbatch,
            end = EndOf(leaf);
        var nextRows = groups.Next;
        nint stride = operands.OutputLength;
        var leaves = partials.Leaves;
        var top = partials.Sums; // two vectors for each leaf that waits
        TVector sum = default, // +0
            rightSum = default;
        while (row != RowGroups.None)
        {
            if (row >= end)
            {
                var next = row / microbatch;
                for (; top > partials.Sums && Height(leaves[-1], leaf) < Height(leaf, next); leaves--)
                    Merge<TLanes, TVector>(ref top, ref sum, ref rightSum);
                TLanes.Store(sum, top);
                TLanes.Store(rightSum, top + TLanes.Count);
                top += 2 * TLanes.Count;
                *leaves++ = leaf;
                (leaf, end, sum, rightSum) = (next, EndOf(next), default, default);
            }

            var term = gradient + (row * stride);
            sum = TLanes.Add(sum, TLanes.Load(term));
            rightSum = TLanes.Add(rightSum, TLanes.Load(term + right));
            row = nextRows[row];
        }

        while (top > partials.Sums)
            Merge<TLanes, TVector>(ref top, ref sum, ref rightSum);
        TLanes.Store(sum, destination);
        TLanes.Store(rightSum, destination + right);
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

    private int EndOf(int leaf) => (int)Math.Min(int.MaxValue, (leaf + 1L) * microbatch);

    /// <summary>Sums of nodes of the tree that wait for their right siblings, each with one of its microbatches.</summary>
    private readonly struct Partials(float* sums, int* leaves)
    {
        public readonly float* Sums = sums;
        public readonly int* Leaves = leaves;
    }
}
