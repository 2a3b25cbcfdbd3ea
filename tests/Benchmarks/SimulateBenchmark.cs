using System.Globalization;
using Distributed.Benchmarks.Simulation;
using Distributed.Collectives;
using Distributed.Model;

namespace Distributed.Benchmarks;

/// <summary>
/// Steps of up to a thousand workers, predicted by the cost model and simulated frame by frame. Nothing is measured: the constants are
/// those of <see cref="Costs"/>, and the first table is there to be compared with what <c>coordinator bench allreduce</c> measures.
/// </summary>
internal static class SimulateBenchmark
{
    private const int MicrobatchesPerWorker = 4;
    private const int StrongMicrobatches = 1024;
    private const double Gigabits = 10; // where a table has one rate alone

    private static readonly double[] Rates = [1, 10, 25];

    // Both hold whole nodes of the tree, and are the nearest that there are to groups as large as there are groups.
    private static readonly (int Workers, int Group)[] Groups = [(64, 8), (256, 16), (1000, 8), (1024, 32)];

    /// <param name="workers">The numbers of workers to simulate.</param>
    public static void Run(IReadOnlyList<int> workers)
    {
        Calibrate();
        Weak(workers);
        Strong(workers);
        Slices([.. workers.Where(count => count >= 64)]);
        TwoLevels();
    }

    private static void Calibrate()
    {
        Header("Two workers on two processors, ms", "all-reduce or step", "shm: model", "simulated", "grpc: model", "simulated");
        foreach (var size in new[] { 0.03, 2.7, 16, 64 })
        {
            var layout = ParameterLayout.Of([("vector", (IReadOnlyList<int>)[(int)(size * (1 << 18))])]);
            CalibrationRow($"{Text(size)} MiB", new Workload("vector", layout, 0, LargestPass: 1), microbatches: 2);
        }

        foreach (var workload in Workloads.Measured)
            CalibrationRow($"{workload.Name}, batch 256", workload, microbatches: 8);
    }

    private static void CalibrationRow(string name, Workload workload, int microbatches)
    {
        var plan = Plan(workload, 2, microbatches);
        Row([name, .. Pair(plan, workload, Costs.SharedMemory)[..2], .. Pair(plan, workload, Costs.Loopback)[..2]]);
    }

    private static void Weak(IReadOnlyList<int> workers)
    {
        Header(
            $"Weak scaling, {MicrobatchesPerWorker} microbatches of 32 samples to each worker, ms a step",
            [
                "model",
                "workers",
                "buckets",
                "frames",
                "MiB",
                .. Rates.SelectMany(rate => new[] { $"{rate} Gbit/s: model", "simulated", "ratio" }),
            ]
        );
        foreach (var workload in Workloads.All)
        {
            foreach (var count in workers)
            {
                var plan = Plan(workload, count, count * MicrobatchesPerWorker);
                Row([
                    workload.Name,
                    Text(count),
                    Text(plan.Buckets.Count),
                    Text(CostModel.Messages(plan)),
                    Text(plan.BytesSentBy(0) / (double)(1 << 20)),
                    .. Rates.SelectMany(rate => Pair(plan, workload, Costs.Network(rate))),
                ]);
            }
        }
    }

    private static void Strong(IReadOnlyList<int> workers)
    {
        Header(
            $"Strong scaling, {StrongMicrobatches} microbatches in all, {Gigabits} Gbit/s, ms a step (model / simulated) and speed over one worker",
            ["workers", "most blocks", .. Workloads.All.SelectMany(workload => new[] { workload.Name, "speed" })]
        );
        var alone = Workloads.All.ToDictionary(
            workload => workload,
            workload => Simulated(Plan(workload, 1, StrongMicrobatches), workload).Seconds
        );
        foreach (var count in workers)
        {
            ReductionPlan shares = new(StrongMicrobatches, count);
            Row([
                Text(count),
                Text(Enumerable.Range(0, count).Max(rank => shares.PlacesOf(rank).Count)),
                .. Workloads.All.SelectMany(workload => StrongCells(Plan(workload, count, StrongMicrobatches), workload, alone[workload])),
            ]);
        }
    }

    private static string[] StrongCells(ReductionPlan plan, Workload workload, double alone)
    {
        var simulated = Simulated(plan, workload).Seconds;
        return
        [
            $"{Milliseconds(CostModel.Seconds(plan, workload, Costs.Network(Gigabits)))} / {Milliseconds(simulated)}",
            Text(alone / simulated),
        ];
    }

    // Buckets for more owners than there are have larger slices.
    private static void Slices(IReadOnlyList<int> workers)
    {
        int[] factors = [1, 4, 16];
        Header(
            $"Larger slices, weak scaling at {Gigabits} Gbit/s: simulated ms a step (buckets)",
            ["model", "workers", .. factors.Select(factor => $"at least {factor * Buckets.SmallestSlice * sizeof(float) >> 10} KiB")]
        );
        foreach (var workload in Workloads.All)
        {
            foreach (var count in workers)
                Row([workload.Name, Text(count), .. factors.Select(factor => SliceCell(workload, count, factor))]);
        }
    }

    private static string SliceCell(Workload workload, int workers, int factor)
    {
        ReductionPlan plan = new(workers * MicrobatchesPerWorker, Shares.Equal(workers), Buckets.Of(workload.Layout, workers * factor));
        return $"{Milliseconds(Simulated(plan, workload).Seconds)} ({plan.Buckets.Count})";
    }

    private static void TwoLevels()
    {
        Header(
            $"Two levels against one, weak scaling at {Gigabits} Gbit/s: simulated ms a step (frames that a worker sends)",
            ["workers", "groups", .. Workloads.All.SelectMany(workload => new[] { $"{workload.Name}: direct", "two levels" })]
        );
        foreach (var (workers, group) in Groups)
        {
            Row([
                Text(workers),
                $"{workers / group} of {group}",
                .. Workloads.All.SelectMany(workload => TwoLevelCells(workload, workers, group)),
            ]);
        }
    }

    private static string[] TwoLevelCells(Workload workload, int workers, int group)
    {
        var plan = Plan(workload, workers, workers * MicrobatchesPerWorker);
        return
        [
            .. new[] { Exchange.Direct(plan), Exchange.TwoLevel(plan, group) }
                .Select(exchange => StepSimulator.Run(exchange, workload, Costs.Network(Gigabits)))
                .Select(step => $"{Milliseconds(step.Seconds)} ({Text(step.Messages.Max())})"),
        ];
    }

    private static ReductionPlan Plan(Workload workload, int workers, int microbatches) =>
        new(microbatches, Shares.Equal(workers), Buckets.Of(workload.Layout, workers));

    private static SimulatedStep Simulated(ReductionPlan plan, Workload workload) =>
        StepSimulator.Run(Exchange.Direct(plan), workload, Costs.Network(Gigabits));

    /// <summary>The model's milliseconds, the simulated ones, and these over those.</summary>
    private static string[] Pair(ReductionPlan plan, Workload workload, Costs costs)
    {
        var model = CostModel.Seconds(plan, workload, costs);
        var simulated = StepSimulator.Run(Exchange.Direct(plan), workload, costs).Seconds;
        return [Milliseconds(model), Milliseconds(simulated), (simulated / model).ToString("F2", CultureInfo.InvariantCulture)];
    }

    private static void Header(string title, params IReadOnlyList<string> columns)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine();
        Row(columns);
        Row([.. columns.Select(_ => "---")]);
    }

    private static void Row(IReadOnlyList<string> cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    private static string Milliseconds(double seconds) =>
        (1e3 * seconds).ToString(seconds < 0.1 ? "F2" : "N0", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString(value < 100 ? "0.##" : "N0", CultureInfo.InvariantCulture);
}
