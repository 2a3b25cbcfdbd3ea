using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// Passes over the rows of tables that a step touches, with the bits that <see cref="OptimizerKernels"/> give these rows. What is new is written to
/// the state before the step, too, whose rows are in the caches just then: the two states then have equal tables again, and nothing is left to be
/// made up for in rows that later steps do not touch.
/// </summary>
internal static unsafe class RowKernels
{
    /// <summary>Plain descent: w' = w - rate g.</summary>
    /// <param name="learningRate">Step length.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="gradientSum">[values of these rows]: the sum of the samples' gradients.</param>
    /// <param name="samples">Samples summed over.</param>
    /// <param name="weights">Weights before the step, tables first; these rows are overwritten by those after the step.</param>
    /// <param name="nextWeights">Likewise, where the tables are the same.</param>
    /// <param name="team">The threads to share the work, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there are no samples.</exception>
    public static void Sgd(
        float learningRate,
        TouchedRows rows,
        ReadOnlySpan<float> gradientSum,
        int samples,
        Span<float> weights,
        Span<float> nextWeights,
        ComputeTeam? team
    )
    {
        Check(rows, samples, gradientSum.Length, weights.Length, nextWeights.Length);
        fixed (
            float* g = gradientSum,
                w = weights,
                w2 = nextWeights
        )
        {
            Run(rows, new SgdStep(learningRate, g, samples, w, w2), team);
        }
    }

    /// <summary>
    /// Adagrad with one sum for each row (as FBGEMM's row-wise Adagrad): s' = s + the mean of g^2 over the row, which is summed in 16 lanes and
    /// folded by halves; w' = w - rate g / (sqrt(s') + epsilon). The sum stands in all elements of its row.
    /// </summary>
    /// <param name="settings">The constants; without weight decay.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="gradientSum">[values of these rows]: the sum of the samples' gradients.</param>
    /// <param name="samples">Samples summed over.</param>
    /// <param name="weights">Weights before the step; tables first.</param>
    /// <param name="sums">Likewise the sums.</param>
    /// <param name="nextWeights">Likewise, where the tables are the same.</param>
    /// <param name="nextSums">Likewise.</param>
    /// <param name="team">The threads to share the work, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">A length does not fit, or there are no samples.</exception>
    public static void Adagrad(
        in AdagradSettings settings,
        TouchedRows rows,
        ReadOnlySpan<float> gradientSum,
        int samples,
        Span<float> weights,
        Span<float> sums,
        Span<float> nextWeights,
        Span<float> nextSums,
        ComputeTeam? team
    )
    {
        Check(rows, samples, gradientSum.Length, weights.Length, nextWeights.Length);
        Check(rows, samples, gradientSum.Length, sums.Length, nextSums.Length);
        fixed (
            float* g = gradientSum,
                w = weights,
                s = sums,
                w2 = nextWeights,
                s2 = nextSums
        )
        {
            Run(rows, new AdagradStep(settings, g, samples, w, s, w2, s2), team);
        }
    }

    /// <summary>Copies rows out of tables.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="tables">Tables first.</param>
    /// <param name="values">[values of these rows]: overwritten.</param>
    public static void Gather(TouchedRows rows, ReadOnlySpan<float> tables, Span<float> values)
    {
        foreach (var (place, dimension) in Places(rows))
        {
            tables.Slice(place, dimension).CopyTo(values);
            values = values[dimension..];
        }
    }

    /// <summary>Copies rows into tables.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="values">[values of these rows].</param>
    /// <param name="tables">Tables first; these rows are overwritten.</param>
    public static void Scatter(TouchedRows rows, ReadOnlySpan<float> values, Span<float> tables)
    {
        foreach (var (place, dimension) in Places(rows))
        {
            values[..dimension].CopyTo(tables[place..]);
            values = values[dimension..];
        }
    }

    private static IEnumerable<(int Place, int Dimension)> Places(TouchedRows rows)
    {
        for (var table = 0; table < rows.Shape.Columns.Length; table++)
        {
            var column = rows.Shape.Columns[table];
            for (var place = rows.FirstPlaces[table]; place < rows.FirstPlaces[table + 1]; place++)
                yield return (column.TableOffset + ((rows.Rows[place] - column.FirstRow) * column.Dimension), column.Dimension);
        }
    }

    private static void Check(TouchedRows rows, int samples, int gradient, int current, int next)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        if (gradient != rows.Length || current != next || current < rows.Shape.TablesLength)
        {
            throw new ArgumentException(
                $"A gradient of {gradient} values and states of {current} and {next} do not fit {rows.Length} values of tables of {rows.Shape.TablesLength}."
            );
        }
    }

    private static void Run<TStep>(TouchedRows rows, TStep step, ComputeTeam? team)
        where TStep : unmanaged, IRowStep
    {
        fixed (EmbeddingColumn* columns = rows.Shape.Columns)
        fixed (
            int* numbers = rows.Rows,
                first = rows.FirstPlaces
        )
        {
            var work = new RowsWork<TStep>(columns, rows.Shape.Columns.Length, numbers, first, step);
            WorkSharing.Run(VectorizedWork.Of(work), rows.Length, team);
        }
    }

    /// <summary>What is done to a row.</summary>
    private interface IRowStep
    {
        /// <summary>Requests what the row will need.</summary>
        /// <param name="place">Where it lies in the state.</param>
        /// <param name="dimension">Its values.</param>
        void Fetch(nint place, int dimension);

        /// <param name="gradient">Where its gradient lies among those of the touched rows.</param>
        /// <param name="place">Where it lies in the state.</param>
        /// <param name="dimension">Its values.</param>
        void Row<TLanes, TVector>(nint gradient, nint place, int dimension)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged;
    }

    /// <summary>Each row lies elsewhere in tables that no cache holds: those ahead are requested while a row is updated.</summary>
    private readonly struct RowsWork<TStep>(EmbeddingColumn* columns, int tables, int* rows, int* first, TStep step) : IVectorizedWork
        where TStep : unmanaged, IRowStep
    {
        private const int RowsAhead = 12;

        public void Execute<TLanes, TVector>(int chunk, int chunks)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var (start, end) = ChunkRange.Of(first[tables], 1, chunk, chunks);
            nint gradient = 0;
            for (var table = 0; table < tables; table++)
            {
                var column = columns[table];
                var endOfTable = Math.Min(first[table + 1], end);
                for (var place = Math.Max(first[table], start); place < endOfTable; place++)
                {
                    if (place + RowsAhead < endOfTable)
                    {
                        var ahead = column.TableOffset + ((nint)(rows[place + RowsAhead] - column.FirstRow) * column.Dimension);
                        step.Fetch(ahead, column.Dimension);
                    }

                    step.Row<TLanes, TVector>(
                        gradient + ((nint)(place - first[table]) * column.Dimension),
                        column.TableOffset + ((nint)(rows[place] - column.FirstRow) * column.Dimension),
                        column.Dimension
                    );
                }

                gradient += (nint)(first[table + 1] - first[table]) * column.Dimension;
            }
        }
    }

    private readonly struct SgdStep(float learningRate, float* gradientSum, float samples, float* weights, float* nextWeights) : IRowStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Fetch(nint place, int dimension)
        {
            CacheLine.Fetch(weights + place, dimension);
            CacheLine.Fetch(nextWeights + place, dimension);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TVector>(nint gradient, nint place, int dimension)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var i = 0;
            for (; i <= dimension - TLanes.Count; i += TLanes.Count)
                Element<TLanes, TVector>(gradient + i, place + i);
            for (; i < dimension; i++)
                Element<LanesScalar, float>(gradient + i, place + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Element<TLanes, TVector>(nint gradient, nint place)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var g = TLanes.Divide(TLanes.Load(gradientSum + gradient), TLanes.Broadcast(samples));
            var w = TLanes.FusedMultiplyAdd(TLanes.Broadcast(-learningRate), g, TLanes.Load(weights + place));
            TLanes.Store(w, weights + place);
            TLanes.Store(w, nextWeights + place);
        }
    }

    private readonly struct AdagradStep(
        AdagradSettings settings,
        float* gradientSum,
        float samples,
        float* weights,
        float* sums,
        float* nextWeights,
        float* nextSums
    ) : IRowStep
    {
        private const int MeanLanes = 16;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Fetch(nint place, int dimension)
        {
            CacheLine.Fetch(weights + place, dimension);
            CacheLine.Fetch(nextWeights + place, dimension);
            CacheLine.Fetch(sums + place, dimension);
            CacheLine.Fetch(nextSums + place, dimension);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Row<TLanes, TVector>(nint gradient, nint place, int dimension)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var sum = sums[place] + (SumOfSquares(gradientSum + gradient, dimension) / dimension);
            var root = MathF.Sqrt(sum) + settings.Epsilon;
            var i = 0;
            for (; i <= dimension - TLanes.Count; i += TLanes.Count)
                Element<TLanes, TVector>(gradient + i, place + i, sum, root);
            for (; i < dimension; i++)
                Element<LanesScalar, float>(gradient + i, place + i, sum, root);
        }

        /// <summary>Element i in lane i mod 16, each a chain of fused multiply-adds from +0; the lanes are folded by halves.</summary>
        private float SumOfSquares(float* gradient, int dimension)
        {
            var lanes = Vector512<float>.Zero;
            var i = 0;
            for (; i <= dimension - MeanLanes; i += MeanLanes)
            {
                var g = Vector512.Load(gradient + i) / Vector512.Create(samples);
                lanes = Vector512.FusedMultiplyAdd(g, g, lanes);
            }

            if (i < dimension)
            {
                var partial = stackalloc float[MeanLanes];
                lanes.Store(partial);
                for (var lane = 0; i < dimension; i++, lane++)
                {
                    var g = gradient[i] / samples;
                    partial[lane] = MathF.FusedMultiplyAdd(g, g, partial[lane]);
                }

                lanes = Vector512.Load(partial);
            }

            var half = lanes.GetLower() + lanes.GetUpper();
            var quarter = half.GetLower() + half.GetUpper();
            var pair = quarter.GetLower() + quarter.GetUpper();
            return pair[0] + pair[1];
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Element<TLanes, TVector>(nint gradient, nint place, float sum, float root)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var g = TLanes.Divide(TLanes.Load(gradientSum + gradient), TLanes.Broadcast(samples));
            var step = TLanes.Divide(g, TLanes.Broadcast(root));
            var w = TLanes.FusedMultiplyAdd(TLanes.Broadcast(-settings.LearningRate), step, TLanes.Load(weights + place));
            TLanes.Store(w, weights + place);
            TLanes.Store(w, nextWeights + place);
            TLanes.Store(TLanes.Broadcast(sum), sums + place);
            TLanes.Store(TLanes.Broadcast(sum), nextSums + place);
        }
    }
}
