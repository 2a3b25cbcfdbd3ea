using System.Globalization;
using Distributed.Kernels.Threads;

namespace Distributed.Benchmarks;

/// <summary>The matrix products of training on one core, beside OpenBLAS and the core's measured peak.</summary>
internal sealed class SgemmBenchmark : IDisposable
{
    private const int Rounds = 7;
    private const int Batch = 128;
    private const int Microbatch = 32;

    /// <summary>[M, N, K] of the products with the weights: squares, and layers of the MLPs at their batch sizes.</summary>
    private static readonly (int M, int N, int K)[] Shapes =
    [
        (256, 256, 256),
        (512, 512, 512),
        (1024, 1024, 1024),
        (2048, 2048, 2048),
        (128, 512, 784),
        (64, 256, 784),
        (128, 10, 512),
        (32, 512, 784),
        (128, 2048, 2048),
    ];

    /// <summary>[M, N] of the products over the samples.</summary>
    private static readonly (int M, int N)[] WeightShapes = [(784, 512), (512, 784), (2048, 2048), (10, 512)];

    private readonly ComputeTeam _team = new(1);
    private readonly Measurement _peakSeconds = new();
    private readonly Case[] _cases;

    private SgemmBenchmark(string filter) => _cases = [.. Cases().Where(row => row.Name.Contains(filter, StringComparison.Ordinal))];

    /// <summary>Measures in turn, ours and the peers', several rounds over, and prints a table of medians.</summary>
    /// <param name="filter">What the names of the cases must contain, such as <c>forward</c> or <c>784</c>; empty for all.</param>
    public static void Run(string filter)
    {
        using var peak = Peer.OfC("fma_peak.c", []);
        using var blas = Peer.OfC("sgemm.c", ["-lopenblas"], ("OPENBLAS_NUM_THREADS", "1"));
        using var wide = Peer.CanBeWide
            ? Peer.OfC("sgemm.c", ["-lopenblas"], ("OPENBLAS_NUM_THREADS", "1"), ("OPENBLAS_CORETYPE", "SkylakeX"))
            : null;
        using var benchmark = new SgemmBenchmark(filter);
        for (var round = 0; round < Rounds; round++)
            benchmark.MeasureRound(peak, blas, wide);
        benchmark.Print();
    }

    public void Dispose() => _team.Dispose();

    private IEnumerable<Case> Cases() =>
        [
            .. Shapes.Select(s => new Case("forward", s.M, s.N, s.K, Products.Forward(s.M, s.N, s.K, _team))),
            .. Shapes.Select(s => new Case("input", s.M, s.N, s.K, Products.InputGradient(s.M, s.N, s.K, _team))),
            .. WeightShapes.Select(s => new Case("weight", s.M, s.N, Batch, Products.WeightGradient(s.M, s.N, Batch, Microbatch, _team))
            {
                WithoutTree = Products.WeightGradient(s.M, s.N, Batch, Batch, _team),
            }),
        ];

    private void MeasureRound(Peer? peak, Peer? blas, Peer? wide)
    {
        foreach (var row in _cases)
        {
            _peakSeconds.AddFrom(peak, "");
            row.Blas.AddFrom(blas, row.Name);
            row.Wide.AddFrom(wide, row.Name);
            row.Ours.Add(Measurement.Time(row.Compute));
            if (row.WithoutTree is not null)
                row.OursWithoutTree.Add(Measurement.Time(row.WithoutTree));
        }
    }

    private void Print()
    {
        var peak = 2 / _peakSeconds.Median; // seconds are those of 10^9 multiply-adds
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"One core, packing included; peak {peak:F1} GFLOP/s; medians of {Rounds} interleaved rounds ± half the interquartile range."
            )
        );
        Console.WriteLine(
            $"weight: over {Batch} samples in microbatches of {Microbatch}; 'tree' is its time over that with one microbatch of {Batch}."
        );
        Console.WriteLine(
            "wide: OpenBLAS with OPENBLAS_CORETYPE=SkylakeX; by itself, it takes 256-bit kernels on processors that it does not know."
        );
        Console.WriteLine();
        Console.WriteLine("| form M N K | GFLOP/s | of peak | OpenBLAS | wide | ours / OpenBLAS | ours / wide | tree |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var row in _cases)
            Console.WriteLine(row.Text(peak));
        foreach (var form in _cases.GroupBy(row => row.Form))
        {
            var blas = Measurement.GeometricMean(form.Select(row => row.Blas.Over(row.Ours).Median));
            var wide = Measurement.GeometricMean(form.Select(row => row.Wide.Over(row.Ours).Median));
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"| {form.Key}, geometric mean | | | | | {blas:F3} | {wide:F3} | |")
            );
        }
    }

    /// <summary>One product with its timings, all in seconds.</summary>
    private sealed record Case(string Form, int M, int N, int K, Action Compute)
    {
        public Action? WithoutTree { get; init; }

        public Measurement Ours { get; } = new();

        public Measurement OursWithoutTree { get; } = new();

        public Measurement Blas { get; } = new();

        public Measurement Wide { get; } = new();

        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Form} {M} {N} {K}");

        public string Text(double peak)
        {
            double operations = 2e-9 * M * N * K,
                rate = operations / Ours.Median;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Name} | {rate:F1} | {rate / peak:P0} | {operations / Blas.Median:F1} | {operations / Wide.Median:F1} | {Blas.Over(Ours).AsRatio} | {Wide.Over(Ours).AsRatio} | {Ours.Over(OursWithoutTree).AsRatio} |"
            );
        }
    }
}
