using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Distributed.Collectives;
using Distributed.Data;
using Distributed.Data.Packs;
using Distributed.Data.Tables;
using Distributed.Kernels;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Benchmarks;

/// <summary>
/// Embeddings of 26 columns of up to 100,000 categories, which follow Zipf's law: look-up, gradient and update alone, and a whole model with 13 numbers
/// and two layers on top, beside PyTorch's sparse gradients on one thread, and two workers beside DDP over Gloo.
/// </summary>
internal static class EmbeddingBenchmark
{
    private const int Rounds = 9;
    private const int Numbers = 13;
    private const int Dimension = 16;
    private const int Batch = 2048;
    private const int Microbatch = 256;
    private const int Samples = 64 * Batch;
    private const int Steps = 150;
    private const double SliceSeconds = 0.5;

    private static readonly int[] Sizes =
    [
        .. Enumerable.Repeat(100_000, 5),
        .. Enumerable.Repeat(50_000, 3),
        .. Enumerable.Repeat(20_000, 3),
        .. Enumerable.Repeat(10_000, 3),
        .. new[] { 5_000, 2_000, 1_000, 1_000, 500, 200, 100, 50, 25, 15, 10, 4 },
    ];

    private static readonly string Top = """{"type":"dense","units":512},{"type":"relu"},{"type":"dense","units":256},{"type":"relu"}""";

    private static readonly string Tables = $$"""{"type":"embedding","dimension":{{Dimension}}}""";

    /// <summary>On one core beside PyTorch on one thread.</summary>
    public static void RunAlone()
    {
        using var torch = Peer.OfPython("pytorch_embeddings.py");
        var data = Generate();
        Console.WriteLine(
            $"26 columns of {Sizes.Sum():N0} categories, dimension {Dimension}, {Numbers} numbers, batch {Batch}, microbatch {Microbatch}; one thread; medians of {Rounds} interleaved rounds."
        );
        Console.WriteLine();
        Console.WriteLine("| what | rule | ms a step | PyTorch, separate | PyTorch, fused | best of both / ours |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (
            var optimizer in new OptimizerOptions[]
            {
                new SgdOptions { Momentum = 0, LearningRate = 0.01 },
                new AdagradOptions(),
            }
        )
        {
            using var tables = new TablesAlone(data, optimizer);
            Compare("look-up, gradient, update", "tables", optimizer.Name, tables.Run, torch);
            using var model = new WholeModel(data, optimizer);
            Compare("the whole model", "model", optimizer.Name, model.Run, torch);
        }

        Console.WriteLine();
    }

    /// <summary>Two workers beside two ranks of DDP.</summary>
    public static void RunWorkers()
    {
        var data = Generate();
        Console.WriteLine(
            "| two processes of one thread | rule | samples/s, shared memory | DDP, separate | DDP, fused | ours / best of both |"
        );
        Console.WriteLine("|---|---|---|---|---|---|");
        CompareWorkers(data, "adagrad");
        CompareWorkers(data, "sgd");
    }

    private static void Compare(string what, string part, string rule, Action run, Peer? torch)
    {
        Measurement ours = new(),
            separate = new(),
            fused = new(),
            best = new();
        for (var round = 0; round < Rounds; round++)
        {
            separate.AddFrom(torch, $"{part} {rule} separate");
            ours.Add(Measurement.Time(run, SliceSeconds));
            fused.AddFrom(torch, $"{part} {rule} fused");
        }

        (double Ratio, string Text)[] ratios =
        [
            .. new[] { separate.Over(ours), fused.Over(ours) }.Select(ratio => (ratio.Median, ratio.AsRatio)),
        ];
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {what} | {rule} | {1000 * ours.Median:F2} | {1000 * separate.Median:F2} | {1000 * fused.Median:F2} | {ratios.MinBy(ratio => ratio.Ratio).Text} |"
            )
        );
    }

    private static void CompareWorkers(Dataset data, string rule)
    {
        const int rounds = 5;
        var folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            DatasetPack.Write(_ => data, isTable: true, Path.Combine(folder, "pack"));
            File.WriteAllText(Path.Combine(folder, "model.json"), $$"""{"layers":[{{Tables}},{{Top}}]}""");
            Measurement ours = new(),
                separate = new(),
                fused = new();
            for (var round = 0; round < rounds; round++)
            {
                separate.Add(Ddp(rule, "separate"));
                ours.Add(Cluster(folder, rule));
                fused.Add(Ddp(rule, "fused"));
            }

            (double Ratio, string Text)[] ratios =
            [
                .. new[] { ours.Over(separate), ours.Over(fused) }.Select(ratio => (ratio.Median, ratio.AsRatio)),
            ];
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| the whole model | {rule} | {ours.Median:N0} | {separate.Median:N0} | {fused.Median:N0} | {ratios.MinBy(ratio => ratio.Ratio).Text} |"
                )
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Ddp(string rule, string form) =>
        double.Parse(
            TrainingBenchmark.Output(Peer.Python, [Peer.Source("pytorch_embeddings.py"), "ddp", rule, form]),
            CultureInfo.InvariantCulture
        );

    private static double Cluster(string folder, string rule)
    {
        var run = Path.Combine(folder, "run");
        string[] momentum = rule == "sgd" ? ["--momentum", "0"] : [];
        string[] arguments =
        [
            .. new[] { "train", "--data", Path.Combine(folder, "pack"), "--model", Path.Combine(folder, "model.json"), "--run", run },
            .. new[] { "--optimizer", rule, "--weight-decay", "0", "--learning-rate", "0.01", "--schedule", "constant", "--quiet" },
            .. new[] { "--batch-size", $"{Batch}", "--microbatch", $"{Microbatch}", "--workers", "2", "--threads", "1" },
            .. new[] { "--steps", $"{Steps}", "--eval-every", $"{Steps}", "--checkpoint-every", $"{Steps}" },
            .. momentum,
        ];
        try
        {
            TrainingBenchmark.Output(TrainingBenchmark.Coordinator, arguments);
            using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
            return summary.RootElement.GetProperty("samplesPerSecond").GetDouble();
        }
        finally
        {
            if (Directory.Exists(run))
                Directory.Delete(run, recursive: true);
        }
    }

    private static Dataset Generate()
    {
        var encoding = new TableEncoding(
            [
                .. Enumerable.Repeat(new NumberEncoding(0, 1, 0, HasGaps: false), Numbers),
                .. Sizes.Select(size => new CategoryEncoding([
                    .. Enumerable.Range(1, size - 1).Select(word => word.ToString("x5", CultureInfo.InvariantCulture)),
                ])),
            ],
            missing: []
        );
        var preprocessing = Preprocessing.Of(encoding);
        SampleShape shape = new(1, 1, Numbers + Sizes.Length);
        return new Dataset("categories", "generated", shape, ["0", "1"], preprocessing, Set(Samples, seed: 1), Set(1000, seed: 2));

        SampleSet Set(int count, int seed)
        {
            var random = new System.Random(seed);
            var values = new float[count * shape.Length];
            for (var sample = 0; sample < count; sample++)
            {
                var row = values.AsSpan(sample * shape.Length, shape.Length);
                for (var number = 0; number < Numbers; number++)
                    row[number] = random.NextSingle() - 0.5f;
                // The logarithm of a rank is uniform: Zipf's law with exponent 1.
                for (var column = 0; column < Sizes.Length; column++)
                    row[Numbers + column] = (int)Math.Min(Math.Pow(Sizes[column], random.NextDouble()) - 1, Sizes[column] - 1);
            }

            int[] targets = [.. Enumerable.Range(0, count).Select(_ => random.Next(2))];
            return new SampleSet(new SampleDecoder(preprocessing, shape), targets, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }
    }

    private static TrainingSettings Settings(Dataset data, string layers, OptimizerOptions optimizer)
    {
        var network = new Network(ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "the model"), data.Inputs, data.OutputWidth);
        return new TrainingSettings(
            network,
            new Classification(2),
            Microbatch,
            optimizer,
            new ConstantSchedule(),
            TotalSteps: 1_000_000,
            Seed: 1
        );
    }

    private static int[] Indices(int step) => [.. Enumerable.Range(step * Batch % Samples, Batch)];

    /// <summary>Finds the rows, looks them up, sums their gradient and updates them.</summary>
    private sealed class TablesAlone : IDisposable
    {
        private readonly Dataset _data;
        private readonly ComputeTeam _team = new(1);
        private readonly EmbeddingShape _shape;
        private readonly EmbeddingIds _ids;
        private readonly StepRows _rows;
        private readonly WeightUpdater _weights;
        private readonly AlignedBuffer _inputs;
        private readonly AlignedBuffer _outputs;
        private readonly AlignedBuffer _outputGradient;
        private readonly AlignedBuffer _gradient;
        private int _step;

        public TablesAlone(Dataset data, OptimizerOptions optimizer)
        {
            var settings = Settings(data, Tables, optimizer);
            _data = data;
            _shape = settings.TablesOfRows!;
            _ids = new EmbeddingIds(_shape, Batch);
            _rows = new StepRows(_shape, data.Train);
            _weights = new WeightUpdater(settings, _team);
            settings.Network.InitializeWeights(1, _weights.State.Weights.Span);
            _inputs = new AlignedBuffer(Batch * _shape.InputLength);
            _outputs = new AlignedBuffer(Batch * _shape.OutputLength);
            _outputGradient = new AlignedBuffer(_outputs.Length);
            var random = new System.Random(3);
            foreach (ref var value in _outputGradient.Span)
                value = random.NextSingle() - 0.5f;
            _gradient = new AlignedBuffer(settings.Network.Layout.Length);
        }

        public void Dispose() => _team.Dispose();

        public void Run()
        {
            var indices = Indices(_step++);
            _data.Train.Decode(indices, _inputs.Span);
            var rows = _rows.Of(indices);
            _weights.Begin(Batch, rows);
            _ids.Read(_inputs.Span);
            var tables = _weights.State.Weights.Span[.._shape.TablesLength];
            Embedding.LookUp(_inputs.Span, _ids, tables, _outputs.Span, _team);
            Embedding.Gradient(_ids, _outputGradient.Span, Microbatch, _gradient.Span[.._shape.TablesLength], _team, _weights.Touched);
            _weights.Take(rows.Start, _gradient.Span[rows.Start..]);
            _weights.Complete();
        }
    }

    private sealed class WholeModel : IDisposable
    {
        private readonly Dataset _data;
        private readonly Replica _replica;
        private readonly PrivateMemory _gradients;
        private readonly Training.TrainingStep _stepper;
        private readonly StepRows _rows;

        public WholeModel(Dataset data, OptimizerOptions optimizer)
        {
            var settings = Settings(data, $"{Tables},{Top}", optimizer);
            _data = data;
            _replica = new Replica(settings, threads: 1);
            settings.Network.InitializeWeights(1, _replica.Weights.State.Weights.Span);
            _gradients = new PrivateMemory(settings.Network.Layout.Length);
            var plans = new ReductionPlans(Shares.Equal(1), Buckets.Of(settings.Network.Layout, owners: 1));
            var exchange = new AllReduce(new ViewIdentity(Run: 0, default, Rank: 0, ["alone"]), plans, _gradients);
            _stepper = new Training.TrainingStep(_replica, exchange, _gradients, rank: 0);
            _rows = new StepRows(settings.TablesOfRows!, data.Train);
        }

        public void Dispose()
        {
            _replica.Dispose();
            _gradients.Dispose();
        }

        public void Run()
        {
            var step = _replica.Weights.State.Step + 1;
            var indices = Indices((int)step);
            var samples = new IndexedSamples(_data.Train, indices);
            _stepper.Train(step, new MemberBatch(Batch / Microbatch, Batch, samples, _rows.Of(indices)));
        }
    }
}
