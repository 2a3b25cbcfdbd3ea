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
    float* scratch,
    int scratchLength
) : IVectorizedWork
{
    /// <summary>Partial sums on the stack: one for each level of a tree over 2^31 microbatches.</summary>
    private const int Levels = 32;

    /// <summary>Floats of the widest vectors.</summary>
    private const int WidestVector = 16;

    /// <summary>Floats of scratch memory for each chunk, which hold integers, in whole cache lines.</summary>
    public static int ScratchLength(int rows) =>
        checked((RowGroups.LengthFor(rows) + CacheLine.Length - 1) / CacheLine.Length * CacheLine.Length);

    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var sums = stackalloc float[Levels * WidestVector];
        var leaves = stackalloc int[Levels];
        Partials partials = new(sums, leaves);
        var memory = (int*)(scratch + ((nint)chunk * scratchLength));
        var (i, end) = ChunkRange.Of(operands.ColumnCount, 1, chunk, chunks);
        for (; i < end; i++)
            Column<TLanes, TVector>(operands.Columns[i], operands.IdsOf(i), memory, partials);
    }

    private void Column<TLanes, TVector>(in EmbeddingColumn column, int* ids, int* memory, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        RowGroups groups = new(ids, operands.Rows, memory);
        groups.Build();
        for (var entry = 0; entry < groups.Entries; entry++)
        {
            var first = groups.FirstOf(entry);
            if (first == RowGroups.None)
                continue;
            var destination = tablesGradient + column.TableOffset + ((nint)ids[first] * column.Dimension);
            TableRow<TLanes, TVector>(groups, first, outputGradient + column.OutputOffset, column.Dimension, destination, partials);
        }
    }

    /// <summary>Sums a table row in vectors of this width, and what is left in narrower ones: tables have few columns.</summary>
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
        var j = 0;
        for (; j + TLanes.Count <= dimension; j += TLanes.Count)
            TLanes.Store(Sum<TLanes, TVector>(groups, first, gradient + j, partials), destination + j);
        for (; TLanes.Count > Lanes256.Count && j + Lanes256.Count <= dimension; j += Lanes256.Count)
            Lanes256.Store(Sum<Lanes256, Vector256<float>>(groups, first, gradient + j, partials), destination + j);
        for (; TLanes.Count > Lanes128.Count && j + Lanes128.Count <= dimension; j += Lanes128.Count)
            Lanes128.Store(Sum<Lanes128, Vector128<float>>(groups, first, gradient + j, partials), destination + j);
        for (; j < dimension; j++)
            LanesScalar.Store(Sum<LanesScalar, float>(groups, first, gradient + j, partials), destination + j);
    }

    /// <summary>
    /// The sum over the rows of a group. Microbatches without such a row are left out of the tree: they would add +0 to sums that are
    /// never -0, since they began at +0. Two partial sums meet below the next microbatch if their own common node lies lower than the
    /// one that they share with it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private TVector Sum<TLanes, TVector>(in RowGroups groups, int row, float* gradient, in Partials partials)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int depth = 0,
            leaf = row / microbatch;
        var end = EndOf(leaf);
        TVector sum = default; // +0
        for (; row != RowGroups.None; row = groups.NextOf(row))
        {
            if (row >= end)
            {
                var next = row / microbatch;
                for (; depth > 0 && Height(partials.Leaves[depth - 1], leaf) < Height(leaf, next); depth--)
                    sum = TLanes.Add(TLanes.Load(partials.Sums + ((depth - 1) * TLanes.Count)), sum);
                TLanes.Store(sum, partials.Sums + (depth * TLanes.Count));
                partials.Leaves[depth++] = leaf;
                (leaf, end, sum) = (next, EndOf(next), default);
            }

            sum = TLanes.Add(sum, TLanes.Load(gradient + ((nint)row * operands.OutputLength)));
        }

        for (; depth > 0; depth--)
            sum = TLanes.Add(TLanes.Load(partials.Sums + ((depth - 1) * TLanes.Count)), sum);
        return sum;
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
