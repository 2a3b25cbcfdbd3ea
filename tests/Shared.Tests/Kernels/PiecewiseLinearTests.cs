using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class PiecewiseLinearTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    /// <summary>The numbers are edges, their neighbours, and what lies between and beside them.</summary>
    [Fact]
    public void Values_are_those_of_the_definition() =>
        Gen.Select(Gen.Int[1, 40].List[1, 6], Gen.Int[0, 2], Gen.Int[1, 20], Gen.UInt)
            .Sample(
                (counts, others, rows, seed) =>
                {
                    var problem = Problem.Of([.. counts], others, rows, seed);
                    BitAssert.Equal(Reference(problem), Encode(problem, _teams[0]));
                },
                iter: 300,
                threads: 1
            );

    [Fact]
    public void A_number_fills_the_bins_below_it_and_a_part_of_its_own()
    {
        PiecewiseBins bins = new([
            [0, 1, 3, 4],
        ]);
        var output = new float[3];
        foreach (
            var (x, expected) in new (float, float[])[]
            {
                (-2, [-2, 0, 0]), // open below
                (0.5f, [0.5f, 0, 0]),
                (1, [1, 0, 0]),
                (1.5f, [1, 0.25f, 0]),
                (3, [1, 1, 0]),
                (4, [1, 1, 1]),
                (6, [1, 1, 3]), // open above
            }
        )
        {
            PiecewiseLinear.Encode([x], 1, bins, output, _teams[0]);
            Assert.Equal(expected, output);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(300)] // enough to be shared
    public void Any_number_of_threads_and_any_vector_width_give_the_same_bits(int rows)
    {
        var problem = Problem.Of([16, 1, 40, 7], others: 3, rows, seed: 5);
        var expected = Encode(problem, _teams[0]);
        BitAssert.Equal(expected, Encode(problem, _teams[1]), "2 threads");
        BitAssert.Equal(expected, Encode(problem, _teams[2]), "3 threads");
        BitAssert.Equal(expected, EncodeAt<LanesScalar, float>(problem), "scalar");
        BitAssert.Equal(expected, EncodeAt<Lanes128, Vector128<float>>(problem), "128");
        BitAssert.Equal(expected, EncodeAt<Lanes256, Vector256<float>>(problem), "256");
        BitAssert.Equal(expected, EncodeAt<Lanes512, Vector512<float>>(problem), "512");
    }

    [Fact]
    public void NaN_is_not_hidden()
    {
        var output = new float[21];
        PiecewiseLinear.Encode(
            [float.NaN, 1],
            2,
            new PiecewiseBins([
                [.. Enumerable.Range(0, 21)],
                [0, 2],
            ]),
            output,
            _teams[0]
        );
        Assert.All(output[..20], value => Assert.True(float.IsNaN(value)));
        Assert.Equal(0.5f, output[20]);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        PiecewiseBins bins = new([
            [0, 1, 2],
            [0, 1],
        ]);
        Assert.Throws<ArgumentOutOfRangeException>("inputLength", () => Encode(4, 1, 6));
        Assert.Throws<ArgumentException>(() => Encode(5, 2, 6));
        Assert.Throws<ArgumentException>(() => Encode(4, 2, 7));
        Assert.Throws<ArgumentException>("edges", () => new PiecewiseBins([]));
        Assert.Throws<ArgumentException>("edges", () => new PiecewiseBins([
                [0, 1],
                [0],
            ]));

        void Encode(int inputs, int inputLength, int outputs) =>
            PiecewiseLinear.Encode(new float[inputs], inputLength, bins, new float[outputs], _teams[0]);
    }

    [Fact]
    public void A_warmed_pass_allocates_nothing()
    {
        var problem = Problem.Of([16, 1, 40, 7], others: 3, rows: 300, seed: 5);
        var output = new float[problem.OutputLength];
        foreach (var team in _teams)
        {
            AllocationAssert.NothingOnceWarm(
                () => PiecewiseLinear.Encode(problem.Input, problem.InputLength, problem.Bins, output, team),
                team
            );
        }
    }

    private static float[] Encode(Problem problem, ComputeTeam team)
    {
        GuardedBuffer output = new(problem.OutputLength);
        PiecewiseLinear.Encode(problem.Input, problem.InputLength, problem.Bins, output.Span, team);
        output.AssertGuards();
        return [.. output.Span];
    }

    /// <summary>As <see cref="Encode"/>, with vectors of one width.</summary>
    private static float[] EncodeAt<TLanes, TVector>(Problem problem)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var output = new float[problem.OutputLength];
        var bins = problem.Bins;
        fixed (int* counts = bins.Counts)
        fixed (
            float* x = problem.Input,
                lower = bins.Lower,
                width = bins.Width,
                floor = bins.Floor,
                ceiling = bins.Ceiling,
                y = output
        )
        {
            BinOperands operands = new(lower, width, floor, ceiling);
            PiecewiseWork work = new(x, bins.Columns, problem.Others, counts, bins.Count, operands, y);
            work.Execute<TLanes, TVector>(0, problem.Rows);
        }

        return output;
    }

    /// <summary>As the paper has it, case by case.</summary>
    private static float[] Reference(Problem problem)
    {
        List<float> output = [];
        foreach (var row in problem.Input.Chunk(problem.InputLength))
        {
            for (var column = 0; column < problem.Edges.Length; column++)
            {
                var edges = problem.Edges[column];
                for (var bin = 1; bin < edges.Length; bin++)
                {
                    if (bin > 1 && row[column] < edges[bin - 1])
                        output.Add(0);
                    else if (bin < edges.Length - 1 && row[column] >= edges[bin])
                        output.Add(1);
                    else
                        output.Add((row[column] - edges[bin - 1]) / (edges[bin] - edges[bin - 1]));
                }
            }

            output.AddRange(row.Skip(problem.Edges.Length));
        }

        return [.. output];
    }

    private sealed record Problem(float[][] Edges, int Others, int Rows, float[] Input)
    {
        public PiecewiseBins Bins { get; } = new(Edges);

        public int InputLength => Edges.Length + Others;

        public int OutputLength => Rows * (Bins.Count + Others);

        public static Problem Of(int[] counts, int others, int rows, uint seed)
        {
            float[][] edges =
            [
                .. counts.Select(
                    (count, column) =>
                        Oracle
                            .Values(3 * (count + 1), seed + (uint)column)
                            .Append(1000)
                            .Append(-1000)
                            .Distinct()
                            .Order()
                            .Take(count + 1)
                            .ToArray()
                ),
            ];
            var input = Oracle.Values(rows * (counts.Length + others), seed + 100);
            for (var i = 0; i < input.Length; i++)
            {
                if (i % (counts.Length + others) is var column && column < counts.Length && i % 2 == 0)
                {
                    var edge = edges[column][i / 2 % edges[column].Length];
                    input[i] = (i % 3) switch
                    {
                        0 => edge,
                        1 => MathF.BitIncrement(edge),
                        _ => MathF.BitDecrement(edge),
                    };
                }
            }

            return new(edges, others, rows, input);
        }
    }
}
