using System.Runtime.CompilerServices;
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
            VectorizedWork.Run(new LookUpWork(operands, x, shape.InputLength, shape.Numbers, t, y), ids.Rows, output.Length, team);
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
        var rows = touched?.Rows;
        if (rows is not null)
            tablesGradient[rows.Start..(tablesGradient.Length - rows.Length)].Clear(); // less than a cache line
        var refused = stackalloc int[2];
        fixed (EmbeddingColumn* columns = ids.Shape.Columns)
        fixed (
            int* values = ids.Values,
                places = touched is null ? default : touched.Places,
                numbers = rows is null ? default : rows.Rows,
                firstPlaces = rows is null ? default : rows.FirstPlaces,
                offsets = rows is null ? default : rows.Offsets
        )
        fixed (
            float* g = outputGradient,
                sums = tablesGradient
        )
        {
            var scratchLength = EmbeddingGradientWork.ScratchLength(ids, rows);
            var work = new EmbeddingGradientWork(
                new EmbeddingOperands(ids, columns, values),
                rows is null ? default : new GradientPlaces(places, numbers, firstPlaces, offsets, refused),
                microbatch,
                g,
                sums,
                team.Scratch(scratchLength),
                scratchLength
            );
            WorkSharing.Run(VectorizedWork.Of(work), (long)outputGradient.Length + (rows?.Length ?? tablesGradient.Length), team);
        }

        if (refused[0] != 0)
            throw new ArgumentException($"row {refused[1]} of table {refused[0] - 1} is not among those of the step", nameof(touched));
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

    /// <summary>
    /// The rows lie all over tables that no cache holds: those of a sample are requested while the samples before it are copied, so that many are under
    /// way at once.
    /// </summary>
    private readonly struct LookUpWork(EmbeddingOperands operands, float* input, int inputLength, int numbers, float* tables, float* output)
        : IVectorizedRange
    {
        private const int SamplesAhead = 2;

        public void Execute<TLanes, TVector>(int start, int end)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            for (var row = start; row < end; row++)
            {
                var destination = output + ((nint)row * operands.OutputLength);
                Copy<TLanes, TVector>(input + ((nint)row * inputLength), numbers, destination);
                for (var i = 0; i < operands.ColumnCount; i++)
                {
                    ref var column = ref operands.Columns[i];
                    var ids = operands.IdsOf(i);
                    var table = tables + column.TableOffset;
                    if (row + SamplesAhead < end)
                        CacheLine.Fetch(table + ((nint)ids[row + SamplesAhead] * column.Dimension), column.Dimension);
                    Copy<TLanes, TVector>(table + ((nint)ids[row] * column.Dimension), column.Dimension, destination + column.OutputOffset);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Copy<TLanes, TVector>(float* source, int length, float* destination)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var i = 0;
            for (; i <= length - TLanes.Count; i += TLanes.Count)
                TLanes.Store(TLanes.Load(source + i), destination + i);
            for (; i < length; i++)
                destination[i] = source[i];
        }
    }
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
