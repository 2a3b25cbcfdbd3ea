using System.Globalization;
using Distributed.Kernels.Threads;

namespace Distributed.Benchmarks;

/// <summary>What a second thread of a worker brings to a whole training step, and what it costs to meet.</summary>
internal static class ThreadsBenchmark
{
    private const int Rounds = 15;
    private const int Batch = 128;
    private const double SliceSeconds = 0.1;

    private static readonly string[] Presets = ["mlp", "mlp:2048,2048", "cnn"];

    /// <param name="models">What to measure; none for the presets.</param>
    public static void Run(string[] models)
    {
        Console.WriteLine(
            $"Batch {Batch}, momentum SGD; medians of {Rounds} interleaved rounds ± half the interquartile range. Apart: two replicas of one thread and half the batch"
        );
        Console.WriteLine("each, at the same time and without anything in common: what two cores of this machine can reach.");
        Console.WriteLine();
        Console.WriteLine("| model | ms a step, 1 thread | 2 threads | apart | speed of 2 threads over 1 | of two apart |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var model in models is [] ? Presets : models)
            Compare(model);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"A run without work: {1e6 * MeetingSeconds():F2} µs on 2 threads."));
    }

    /// <summary>The median cost of handing out work and waiting for its end.</summary>
    private static double MeetingSeconds()
    {
        const int runs = 1000;
        using var team = new ComputeTeam(2);
        var seconds = new Measurement();
        for (var round = 0; round < Rounds; round++)
        {
            seconds.Add(
                Measurement.Time(() =>
                {
                    for (var run = 0; run < runs; run++)
                        team.Run(default(Nothing));
                }) / runs
            );
        }

        return seconds.Median;
    }

    private static void Compare(string model)
    {
        using var one = TrainingStep.Of(model, Batch, threads: 1);
        if (one is null)
            return;
        using var two = TrainingStep.Of(model, Batch, threads: 2)!;
        using TrainingStep half = TrainingStep.Of(model, Batch / 2, threads: 1)!,
            other = TrainingStep.Of(model, Batch / 2, threads: 1)!;
        Measurement alone = new(),
            together = new(),
            apart = new();
        for (var round = 0; round < Rounds; round++)
        {
            alone.Add(Measurement.Time(one.Run, SliceSeconds));
            together.Add(Measurement.Time(two.Run, SliceSeconds));
            apart.Add(SecondsApart(half, other));
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {1000 * alone.Median:F2} | {1000 * together.Median:F2} | {1000 * apart.Median:F2} | {alone.Over(together).AsRatio} | {alone.Over(apart).AsRatio} |"
            )
        );
    }

    /// <summary>Seconds of a step while another replica takes the same step on another thread: those of the slower.</summary>
    private static double SecondsApart(TrainingStep one, TrainingStep other)
    {
        double beside = 0;
        using var start = new Barrier(2);
        var thread = new Thread(() =>
        {
            start.SignalAndWait();
            beside = Measurement.Time(other.Run, SliceSeconds);
        });
        thread.Start();
        start.SignalAndWait();
        var seconds = Measurement.Time(one.Run, SliceSeconds);
        thread.Join();
        return Math.Max(seconds, beside);
    }

    private readonly struct Nothing : IChunkedWork
    {
        public void Execute(int chunk, int chunks) { }
    }
}
