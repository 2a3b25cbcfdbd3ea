using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// Tables of vectors, one for each column of categories: a category's row is its learnt representation (Y. Bengio et al., "A neural
/// probabilistic language model", 2003). It is the product of a one-hot vector and the table, computed without the zeros, with the same
/// bits as <see cref="Products.MatrixProduct"/> would give where gradients are finite: what a product by 0 adds to a chain changes no
/// sum that began at +0.
/// </summary>
internal static unsafe class Embedding
{
    /// <summary>Copies the numbers of each sample, and behind them the rows that its ids name.</summary>
    /// <param name="input">[rows, numbers and ids], of which the ids have been read.</param>
    /// <param name="ids">The ids.</param>
    /// <param name="tables">All tables, one after the other, row by row.</param>
    /// <param name="output">[rows, numbers and table rows]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void LookUp(ReadOnlySpan<float> input, EmbeddingIds ids, ReadOnlySpan<float> tables, Span<float> output, ComputeTeam team)
    {
        var shape = ids.Shape;
        if (input.Length != (long)ids.Rows * shape.InputLength)
            throw new ArgumentException($"{input.Length} inputs are not {ids.Rows} rows of {shape.InputLength}", nameof(input));
        Check(ids, tables.Length, output.Length);
        fixed (EmbeddingColumn* columns = shape.Columns)
        fixed (int* values = ids.Values)
        fixed (
            float* x = input,
                t = tables,
                y = output
        )
        {
            EmbeddingOperands operands = new(ids, columns, values);
            WorkSharing.Run(new LookUpWork(operands, x, shape.InputLength, shape.Numbers, t, y), output.Length, team);
        }
    }

    /// <summary>
    /// The gradient of the tables: for each row, the sum of the output's gradient over the samples that took it, a chain in their order
    /// inside each microbatch and the tree across microbatches. Rows that no sample took get +0.
    /// </summary>
    /// <param name="ids">The ids of the pass.</param>
    /// <param name="outputGradient">[rows, numbers and table rows]; what belongs to the numbers is not read.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="tablesGradient">All tables; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <param name="touched">Finds the rows of the step, which alone have a place in the gradient; null where all rows have theirs.</param>
    /// <exception cref="ArgumentException">A length does not fit, the microbatch is below 1, or a row is none of the step's.</exception>
    public static void Gradient(
        EmbeddingIds ids,
        ReadOnlySpan<float> outputGradient,
        int microbatch,
        Span<float> tablesGradient,
        ComputeTeam team,
        RowPlaces? touched = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        Check(ids, tablesGradient.Length, outputGradient.Length);
        touched?.Require(ids);
        Clear(tablesGradient[(touched?.Rows!.Start ?? 0)..], team);
        fixed (EmbeddingColumn* columns = ids.Shape.Columns)
        fixed (int* values = ids.Values)
        fixed (
            int* places = touched is null ? default : touched.Places,
                firstPlaces = touched is null ? default : touched.Rows!.FirstPlaces,
                offsets = touched is null ? default : touched.Rows!.Offsets
        )
        fixed (
            float* g = outputGradient,
                sums = tablesGradient
        )
        {
            EmbeddingOperands operands = new(ids, columns, values);
            var scratchLength = EmbeddingGradientWork.ScratchLength(ids.Rows);
            var scratch = team.Scratch(scratchLength);
            var work = new EmbeddingGradientWork(
                operands,
                microbatch,
                g,
                sums,
                new TouchedOperands(places, firstPlaces, offsets),
                scratch,
                scratchLength
            );
            WorkSharing.Run(VectorizedWork.Of(work), outputGradient.Length, team);
        }
    }

    // Also of a step that touches few rows: those that other passes touch are zero in this one.
    private static void Clear(Span<float> tablesGradient, ComputeTeam team)
    {
        fixed (float* first = tablesGradient)
            WorkSharing.Run(new ClearWork(first, tablesGradient.Length), tablesGradient.Length, team);
    }

    private static void Check(EmbeddingIds ids, int tables, int outputs)
    {
        var shape = ids.Shape;
        if (tables != shape.TablesLength || outputs != (long)ids.Rows * shape.OutputLength)
        {
            throw new ArgumentException(
                $"{tables} values of tables and {outputs} outputs do not fit tables of {shape.TablesLength} values and "
                    + $"{ids.Rows} rows of {shape.OutputLength} outputs"
            );
        }
    }

    private readonly struct LookUpWork(EmbeddingOperands operands, float* input, int inputLength, int numbers, float* tables, float* output)
        : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            var (row, end) = ChunkRange.Of(operands.Rows, 1, chunk, chunks);
            for (; row < end; row++)
            {
                var destination = output + ((nint)row * operands.OutputLength);
                Copy(input + ((nint)row * inputLength), numbers, destination);
                for (var i = 0; i < operands.ColumnCount; i++)
                {
                    var column = operands.Columns[i];
                    var source = tables + column.TableOffset + ((nint)operands.IdsOf(i)[row] * column.Dimension);
                    Copy(source, column.Dimension, destination + column.OutputOffset);
                }
            }
        }

        private static void Copy(float* source, int length, float* destination) =>
            new ReadOnlySpan<float>(source, length).CopyTo(new Span<float>(destination, length));
    }

    private readonly struct ClearWork(float* first, int length) : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            var (start, end) = ChunkRange.Of(length, CacheLine.Length, chunk, chunks);
            new Span<float>(first + start, end - start).Clear();
        }
    }
}

/// <summary>Where the rows of a step lie in its gradient.</summary>
/// <param name="places">[rows of all tables]; null where all rows lie at their places in the tables.</param>
/// <param name="firstPlaces">[tables].</param>
/// <param name="offsets">[tables].</param>
internal readonly unsafe struct TouchedOperands(int* places, int* firstPlaces, int* offsets)
{
    /// <summary>Where a row lies.</summary>
    public nint OffsetOf(int table, in EmbeddingColumn column, int id) =>
        places is null
            ? column.TableOffset + ((nint)id * column.Dimension)
            : offsets[table] + ((nint)(places[column.FirstRow + id] - firstPlaces[table]) * column.Dimension);
}

/// <summary>Ids and sizes of a pass, as the kernels' inner loops take them.</summary>
internal readonly unsafe struct EmbeddingOperands(EmbeddingIds ids, EmbeddingColumn* columns, int* values)
{
    private readonly int _stride = ids.Stride;

    public int Rows { get; } = ids.Rows;

    public int OutputLength { get; } = ids.Shape.OutputLength;

    public int ColumnCount { get; } = ids.Shape.Columns.Length;

    public EmbeddingColumn* Columns => columns;

    /// <summary>[rows], the ids of one column.</summary>
    public int* IdsOf(int column) => values + ((nint)column * _stride);
}
