using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class EmbeddingTests : IDisposable
{
    private static readonly Gen<Problem> AnyProblem = Gen.Select(
        Gen.Int[1, 90],
        Gen.Int[0, 3],
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 35]).List[1, 5],
        Gen.Int[1, 9],
        Gen.UInt,
        (rows, numbers, tables, microbatch, seed) =>
            Problem.Of(rows, numbers, [.. tables.Select(table => new EmbeddingTable(table.Item1, table.Item2))], microbatch, seed)
    );

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Gradients_have_the_bits_of_the_product_with_one_hot_vectors() =>
        AnyProblem.Sample(problem => BitAssert.Equal(Reference(problem), Gradient(problem, _teams[0])), iter: 300, threads: 1);

    [Fact]
    public void Outputs_are_the_numbers_and_the_rows_of_the_ids() =>
        AnyProblem.Sample(problem => BitAssert.Equal(Outputs(problem), LookUp(problem, _teams[0])), iter: 100, threads: 1);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(40, 7)]
    [InlineData(900, 32)] // enough to be shared
    public void Any_number_of_threads_and_any_vector_width_give_the_same_bits(int rows, int microbatch)
    {
        var problem = Problem.Of(rows, 2, [new(5, 16), new(1000, 33), new(3, 7), new(40, 1)], microbatch, 3);
        float[] output = LookUp(problem, _teams[0]),
            gradient = Gradient(problem, _teams[0]);
        BitAssert.Equal(Reference(problem), gradient, "one thread");
        foreach (var team in _teams)
        {
            BitAssert.Equal(output, LookUp(problem, team), $"output, {team.Threads} threads");
            BitAssert.Equal(gradient, Gradient(problem, team), $"gradient, {team.Threads} threads");
        }

        BitAssert.Equal(gradient, GradientAt<LanesScalar, float>(problem), "scalar");
        BitAssert.Equal(gradient, GradientAt<Lanes128, Vector128<float>>(problem), "128");
        BitAssert.Equal(gradient, GradientAt<Lanes256, Vector256<float>>(problem), "256");
        BitAssert.Equal(gradient, GradientAt<Lanes512, Vector512<float>>(problem), "512");
    }

    [Fact]
    public void Rows_of_a_step_lie_before_the_end_and_have_the_bits_of_all_rows() =>
        AnyProblem.Sample(
            problem =>
            {
                EmbeddingIds ids = new(problem.Shape, problem.Rows);
                ids.Read(problem.Input);
                // Also rows that only samples of others take, in any order.
                RowPlaces places = new(problem.Shape);
                places.Set(TouchedRows.All(problem.Shape));
                places.Set(new TouchedRows(problem.Shape, [.. Taken(problem).Concat(Others(problem)).Distinct().OrderBy(TableOf)]));
                var expected = Reference(problem);
                foreach (var team in _teams)
                {
                    var gradient = Enumerable.Repeat(float.NaN, expected.Length).ToArray();
                    Embedding.Gradient(ids, problem.OutputGradient, problem.Microbatch, gradient, team, places);
                    var place = expected.Length - places.Rows!.Length;
                    foreach (var row in places.Rows!.Rows)
                    {
                        var column = problem.Shape.Columns[TableOf(row)];
                        var first = column.TableOffset + ((row - column.FirstRow) * column.Dimension);
                        BitAssert.Equal(
                            expected.AsSpan(first, column.Dimension).ToArray(),
                            gradient.AsSpan(place, column.Dimension).ToArray(),
                            $"{row}"
                        );
                        place += column.Dimension;
                    }

                    Assert.All(gradient[places.Rows!.Start..(expected.Length - places.Rows!.Length)], value => Assert.Equal(0, value));
                }

                int TableOf(int row) => problem.TableOf(row);
            },
            iter: 200,
            threads: 1
        );

    [Fact]
    public void A_row_that_is_none_of_the_steps_is_refused()
    {
        foreach (var team in _teams)
        {
            var problem = Problem.Of(900, 2, [new(5, 16), new(1000, 33), new(40, 1)], 32, 3);
            EmbeddingIds ids = new(problem.Shape, problem.Rows);
            ids.Read(problem.Input);
            RowPlaces places = new(problem.Shape);
            places.Set(TouchedRows.All(problem.Shape)); // what a step before has left behind does not count
            places.Set(new TouchedRows(problem.Shape, [.. Taken(problem).Distinct().Order().Where(row => row != 5)]));
            var message = Assert
                .Throws<ArgumentException>(() =>
                    Embedding.Gradient(ids, problem.OutputGradient, problem.Microbatch, new float[problem.Tables.Length], team, places)
                )
                .Message;
            Assert.Contains("row 0 of table 1 is not among those of the step", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_not_finite_stays_in_the_rows_of_its_sample_and_is_not_hidden(float bad)
    {
        var problem = Problem.Of(4, 0, [new(6, 5)], 2, 1);
        for (var row = 0; row < 4; row++)
            problem.Input[row] = row;
        problem.OutputGradient[5 + 2] = bad; // of sample 1
        var gradient = Gradient(problem, _teams[0]);
        for (var i = 0; i < gradient.Length; i++)
            Assert.Equal(i == 5 + 2, !float.IsFinite(gradient[i]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0.5)]
    [InlineData(7)]
    [InlineData(1e30)]
    [InlineData(-1e30)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void An_id_outside_of_its_table_is_refused_and_so_is_what_was_read_before(double id)
    {
        var problem = Problem.Of(3, 2, [new(5, 2), new(7, 3)], 2, 1);
        EmbeddingIds ids = new(problem.Shape, maximumRows: 3);
        ids.Read(problem.Input);
        problem.Input[11] = (float)id; // of sample 2, column 1
        var message = Assert.Throws<ArgumentException>(() => ids.Read(problem.Input)).Message;
        Assert.Contains("sample 2 has ", message, StringComparison.Ordinal);
        Assert.Contains(" as an id in column 1 of categories, not 0 to 6", message, StringComparison.Ordinal);
        Assert.Equal(0, ids.Rows);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        var problem = Problem.Of(3, 1, [new(5, 2)], 2, 1);
        EmbeddingIds ids = new(problem.Shape, maximumRows: 3);
        Assert.Throws<ArgumentException>("input", () => ids.Read(new float[5]));
        Assert.Throws<ArgumentException>("input", () => ids.Read(new float[8]));
        ids.Read(problem.Input);
        Assert.Throws<ArgumentException>(() => Embedding.LookUp(new float[4], ids, new float[10], new float[9], _teams[0]));
        Assert.Throws<ArgumentException>(() => Embedding.LookUp(problem.Input, ids, new float[9], new float[9], _teams[0]));
        Assert.Throws<ArgumentException>(() => Embedding.LookUp(problem.Input, ids, new float[10], new float[8], _teams[0]));
        Assert.Throws<ArgumentException>(() => Embedding.Gradient(ids, new float[8], 1, new float[10], _teams[0]));
        Assert.Throws<ArgumentException>(() => Embedding.Gradient(ids, new float[9], 1, new float[11], _teams[0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Embedding.Gradient(ids, new float[9], 0, new float[10], _teams[0]));
        Assert.Throws<ArgumentException>("tables", () => new EmbeddingShape(1, []));
        Assert.Throws<OverflowException>(() => new EmbeddingShape(1, [new(1 << 24, 4096)]));
    }

    [Fact]
    public void A_warmed_pass_allocates_nothing()
    {
        var problem = Problem.Of(900, 2, [new(5, 16), new(1000, 33)], 32, 3);
        EmbeddingIds ids = new(problem.Shape, problem.Rows);
        float[] output = new float[problem.OutputGradient.Length],
            gradient = new float[problem.Tables.Length];
        foreach (var team in _teams)
        {
            AllocationAssert.NothingOnceWarm(
                () =>
                {
                    ids.Read(problem.Input);
                    Embedding.LookUp(problem.Input, ids, problem.Tables, output, team);
                    Embedding.Gradient(ids, problem.OutputGradient, problem.Microbatch, gradient, team);
                },
                team
            );
        }
    }

    private static float[] LookUp(Problem problem, ComputeTeam team)
    {
        EmbeddingIds ids = new(problem.Shape, problem.Rows);
        ids.Read(problem.Input);
        GuardedBuffer output = new(problem.OutputGradient.Length);
        Embedding.LookUp(problem.Input, ids, problem.Tables, output.Span, team);
        output.AssertGuards();
        return [.. output.Span];
    }

    private static float[] Gradient(Problem problem, ComputeTeam team)
    {
        EmbeddingIds ids = new(problem.Shape, problem.Rows);
        ids.Read(problem.Input);
        GuardedBuffer gradient = new(problem.Tables.Length); // whatever is there must be overwritten
        Embedding.Gradient(ids, problem.OutputGradient, problem.Microbatch, gradient.Span, team);
        gradient.AssertGuards();
        return [.. gradient.Span];
    }

    /// <summary>As <see cref="Gradient"/>, with vectors of one width.</summary>
    private static float[] GradientAt<TLanes, TVector>(Problem problem)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        EmbeddingIds ids = new(problem.Shape, problem.Rows);
        ids.Read(problem.Input);
        var gradient = new float[problem.Tables.Length];
        var length = EmbeddingGradientWork.ScratchLength(ids, touched: null);
        var scratch = new float[length];
        fixed (EmbeddingColumn* columns = problem.Shape.Columns)
        fixed (int* values = ids.Values)
        fixed (
            float* g = problem.OutputGradient,
                sums = gradient,
                memory = scratch
        )
        {
            EmbeddingOperands operands = new(ids, columns, values);
            new EmbeddingGradientWork(operands, default, problem.Microbatch, g, sums, memory, length).Execute<TLanes, TVector>(0, 1);
        }

        return gradient;
    }

    /// <summary>The rows that the samples take, counted over all tables.</summary>
    private static IEnumerable<int> Taken(Problem problem) =>
        from sample in Enumerable.Range(0, problem.Rows)
        from table in Enumerable.Range(0, problem.Shape.Columns.Length)
        select problem.Shape.Columns[table].FirstRow + problem.IdOf(sample, table);

    private static IEnumerable<int> Others(Problem problem) => Enumerable.Range(0, problem.Shape.RowCount).Where(row => row % 3 == 1);

    private static float[] Outputs(Problem problem)
    {
        List<float> output = [];
        for (var row = 0; row < problem.Rows; row++)
        {
            output.AddRange(problem.Input.Skip(row * problem.Shape.InputLength).Take(problem.Shape.Numbers));
            for (var i = 0; i < problem.Shape.Columns.Length; i++)
            {
                var column = problem.Shape.Columns[i];
                output.AddRange(problem.Tables.Skip(column.TableOffset + (problem.IdOf(row, i) * column.Dimension)).Take(column.Dimension));
            }
        }

        return [.. output];
    }

    /// <summary>For each table, the transposed matrix of one-hot rows times the gradient.</summary>
    private static float[] Reference(Problem problem)
    {
        List<float> gradient = [];
        for (var i = 0; i < problem.Shape.Columns.Length; i++)
        {
            var column = problem.Shape.Columns[i];
            float[] oneHot = new float[problem.Rows * column.Rows],
                of = new float[problem.Rows * column.Dimension];
            for (var row = 0; row < problem.Rows; row++)
            {
                oneHot[(row * column.Rows) + problem.IdOf(row, i)] = 1;
                problem
                    .OutputGradient.AsSpan((row * problem.Shape.OutputLength) + column.OutputOffset, column.Dimension)
                    .CopyTo(of.AsSpan(row * column.Dimension));
            }

            gradient.AddRange(Oracle.TransposedProduct(oneHot, column.Rows, of, column.Dimension, problem.Rows, problem.Microbatch));
        }

        return [.. gradient];
    }

    private sealed record Problem(EmbeddingShape Shape, int Rows, int Microbatch, float[] Input, float[] Tables, float[] OutputGradient)
    {
        public static Problem Of(int rows, int numbers, EmbeddingTable[] tables, int microbatch, uint seed)
        {
            EmbeddingShape shape = new(numbers, tables);
            var input = Oracle.Values(rows * shape.InputLength, seed);
            for (var row = 0; row < rows; row++)
            {
                for (var i = 0; i < tables.Length; i++)
                {
                    // Most samples have one of few ids, as words have.
                    var drawn = (uint)BitConverter.SingleToInt32Bits(input[(row * shape.InputLength) + numbers + i]) >> 7;
                    var most = drawn % 3 == 0 ? tables[i].Rows : Math.Min(3, tables[i].Rows);
                    input[(row * shape.InputLength) + numbers + i] = drawn / 3 % (uint)most;
                }
            }

            return new(
                shape,
                rows,
                microbatch,
                input,
                Oracle.Values(shape.TablesLength, seed + 1),
                Oracle.Values(rows * shape.OutputLength, seed + 2)
            );
        }

        public int TableOf(int row) => Enumerable.Range(0, Shape.Columns.Length).Last(table => Shape.Columns[table].FirstRow <= row);

        public int IdOf(int row, int column) => (int)Input[(row * Shape.InputLength) + Shape.Numbers + column];
    }
}
