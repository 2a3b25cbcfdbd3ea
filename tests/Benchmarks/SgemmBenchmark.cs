using System.Runtime.Intrinsics;
using Distributed.Kernels;

namespace Distributed.Benchmarks;

/// <summary>Single precision matrix products on one core, beside OpenBLAS and the core's measured peak.</summary>
internal sealed class SgemmBenchmark : IDisposable
{
    private const int Rounds = 7;
    private const int Microbatch = 32;
    private const double Giga = 1e9;

    /// <summary>[M, N, K]: the products of the MLPs at their batch sizes, squares, and a thin output layer.</summary>
    private static readonly (string Kind, int M, int N, int K)[] Shapes =
    [
        ("product", 128, 512, 784), ("product", 128, 2048, 2048), ("product", 128, 10, 512), ("product", 256, 256, 256),
        ("product", 1024, 1024, 1024), ("transposed", 784, 512, 128), ("transposed", 512, 784, 128), ("transposed", 2048, 2048, 128), ("transposed", 10, 512, 128),
    ];

    private readonly ComputeTeam _team = new(1);
    private readonly Case[] _cases;
    private readonly Measurement _peak = new();

    private SgemmBenchmark() => _cases = [.. Shapes.Select(shape => new Case(shape.Kind, shape.M, shape.N, shape.K, _team))];

    /// <summary>Measures all shapes in turn, ours and the peer's, several rounds over, and prints a table of medians.</summary>
    public static void Run()
    {
        string folder = Directory.CreateTempSubdirectory("benchmarks").FullName;
        try
        {
            string? program = Peer.Compile("sgemm.c", folder, "-lopenblas");
            using Peer? peer = program is null ? null : new Peer(program, ("OPENBLAS_NUM_THREADS", "1"));
            using Peer? wide = program is null || !Vector512.IsHardwareAccelerated
                ? null
                : new Peer(program, ("OPENBLAS_NUM_THREADS", "1"), ("OPENBLAS_CORETYPE", "SkylakeX"));
            using var benchmark = new SgemmBenchmark();
            for (int round = 0; round < Rounds; round++)
                benchmark.MeasureRound(peer, wide);
            benchmark.Print();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose() => _team.Dispose();

    private void MeasureRound(Peer? peer, Peer? wide)
    {
        if (peer is not null)
            _peak.Add(1 / peer.Seconds("peak"));
        foreach (Case shape in _cases)
        {
            if (peer is not null)
                shape.Theirs.Add(peer.Seconds(shape.Request));
            if (wide is not null)
                shape.TheirsWide.Add(wide.Seconds(shape.Request));
            shape.Ours.Add(Measurement.Time(shape.Compute));
            shape.OursWithPacking.Add(Measurement.Time(shape.PackAndCompute));
        }
    }

    private void Print()
    {
        Console.WriteLine($"One core, GFLOP/s; peak {_peak.Median:F0}; medians of {Rounds} interleaved rounds; spread is half the interquartile range.");
        Console.WriteLine("'packed' leaves out packing the right operand, which training does once a step. OpenBLAS 0.3.21 takes its 256-bit kernels on");
        Console.WriteLine("processors that it does not know; 'wide' is the same library with OPENBLAS_CORETYPE=SkylakeX.");
        Console.WriteLine();
        Console.WriteLine("| shape M x N x K | ours | ours, packed | OpenBLAS | OpenBLAS, wide | ours / OpenBLAS | packed / OpenBLAS | packed / wide | spread | of peak |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (Case shape in _cases)
            Console.WriteLine(shape.Row(_peak.Median));
    }

    /// <summary>One shape with its operands and its timings.</summary>
    private sealed class Case
    {
        private readonly (string Kind, int M, int N, int K) _shape;
        private readonly double _operations;

        public Case(string kind, int m, int n, int k, ComputeTeam team)
        {
            _shape = (kind, m, n, k);
            _operations = 2.0 * m * n * k / Giga;
            float[] left = Values(m * k), right = Values(k * n), destination = new float[m * n];
            var packed = new PackedMatrix(k, n);
            packed.Pack(right, team);
            Compute = kind == "transposed"
                ? () => MatrixProduct.TransposedProduct(left, m, right, n, k, Microbatch, destination, team)
                : () => MatrixProduct.Multiply(left, m, packed, destination, team);
            PackAndCompute = kind == "transposed" ? Compute : () =>
            {
                packed.PackTransposed(right, team);
                MatrixProduct.Multiply(left, m, packed, destination, team);
            };
        }

        public Measurement Ours { get; } = new();

        public Measurement OursWithPacking { get; } = new();

        public Measurement Theirs { get; } = new();

        public Measurement TheirsWide { get; } = new();

        public Action Compute { get; }

        public Action PackAndCompute { get; }

        public string Request => $"{_shape.Kind} {_shape.M} {_shape.N} {_shape.K}";

        public string Row(double peak)
        {
            double ours = _operations / OursWithPacking.Median, packed = _operations / Ours.Median;
            double theirs = _operations / Theirs.Median, wide = _operations / TheirsWide.Median;
            return $"| {Request} | {ours:F1} | {packed:F1} | {theirs:F1} | {wide:F1} | {ours / theirs:F2} | {packed / theirs:F2} | {packed / wide:F2} "
                + $"| {Ours.Spread:P0} | {packed / peak:P0} |";
        }

        private static float[] Values(int length) => [.. Enumerable.Range(0, length).Select(i => ((i * 7919L % 1009) / 1009f) - 0.5f)];
    }
}
