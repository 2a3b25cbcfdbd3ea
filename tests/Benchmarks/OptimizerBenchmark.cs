using System.Globalization;
using System.Runtime.CompilerServices;
using Distributed.Kernels;
using Distributed.Kernels.Vectors;

namespace Distributed.Benchmarks;

/// <summary>Optimizer steps on vectors that no cache holds, beside the same memory streams without the arithmetic.</summary>
internal static unsafe class OptimizerBenchmark
{
    private const int Rounds = 9;
    private const int Samples = 96;
    private const long Step = 10;

    /// <summary>Floats in a vector: 64 MiB, and the parameters of mlp, whose state stays in the last-level cache.</summary>
    private static readonly int[] Lengths = [1 << 24, 669_706];

    public static void Run()
    {
        Console.WriteLine($"One core; medians of {Rounds} interleaved rounds ± half the interquartile range.");
        Console.WriteLine(
            "streams: reads and writes the same vectors, with one addition in all; C: the same loop in C, with ordinary and with streaming stores."
        );
        Console.WriteLine();
        Console.WriteLine("| update | MiB a vector | GB/s | over streams | over C | over C, streaming |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var length in Lengths)
        {
            AlignedBuffer[] vectors = [.. Enumerable.Range(0, 7).Select(seed => Values(length, seed))];
            using var streams = Peer.OfC("streams.c", []);
            Compare("sgd, momentum", length, moments: 1, () => Sgd(vectors), () => Streams(vectors, moments: 1), streams);
            Compare("adamw", length, moments: 2, () => AdamW(vectors), () => Streams(vectors, moments: 2), streams);
        }
    }

    private static void Compare(string name, int length, int moments, Action update, Action copy, Peer? peer)
    {
        Measurement ours = new(),
            streams = new(),
            theirs = new(),
            streaming = new();
        for (var round = 0; round < Rounds; round++)
        {
            theirs.AddFrom(peer, string.Create(CultureInfo.InvariantCulture, $"ordinary {moments} {length}"));
            ours.Add(Measurement.Time(update));
            streams.Add(Measurement.Time(copy));
            streaming.AddFrom(peer, string.Create(CultureInfo.InvariantCulture, $"streaming {moments} {length}"));
        }

        var bytes = (double)sizeof(float) * length * (3 + (2 * moments)); // gradient; weights and moments read and written
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {length * sizeof(float) / 1048576.0:F1} | {bytes / ours.Median / 1e9:F1} | {ours.Over(streams).AsRatio} | {ours.Over(theirs).AsRatio} | {ours.Over(streaming).AsRatio} |"
            )
        );
    }

    private static void Sgd(AlignedBuffer[] v) =>
        OptimizerKernels.MomentumSgd(
            new SgdSettings(LearningRate: 0.01f, Momentum: 0.9f, Nesterov: false, WeightDecay: 0),
            v[0].Span,
            Samples,
            clipScale: 1,
            v[1].Span,
            v[2].Span,
            v[3].Span,
            v[4].Span,
            team: null
        );

    private static void AdamW(AlignedBuffer[] v) =>
        OptimizerKernels.Adam(
            new AdamSettings(LearningRate: 0.001f, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, Decoupled: true),
            Step,
            v[0].Span,
            Samples,
            clipScale: 1,
            v[1].Span,
            v[2].Span,
            v[3].Span,
            v[4].Span,
            v[5].Span,
            v[6].Span,
            team: null
        );

    private static void Streams(AlignedBuffer[] v, int moments)
    {
        if (moments == 1)
        {
            Elementwise.Run(new SgdStreams(v[0].Pointer, v[1].Pointer, v[2].Pointer, v[3].Pointer, v[4].Pointer), v[0].Length, team: null);
        }
        else
        {
            Elementwise.Run(
                new AdamStreams(v[0].Pointer, v[1].Pointer, v[2].Pointer, v[3].Pointer, v[4].Pointer, v[5].Pointer, v[6].Pointer),
                v[0].Length,
                team: null
            );
        }

        GC.KeepAlive(v);
    }

    /// <summary>Small positive numbers: a second moment is not negative, and none of them is denormal.</summary>
    private static AlignedBuffer Values(int length, int seed)
    {
        var values = new AlignedBuffer(length);
        for (var i = 0; i < length; i++)
            values.Span[i] = (((i + seed) * 7919L % 1009) + 1) / 1009f;
        return values;
    }

    private readonly struct SgdStreams(float* gradient, float* weights, float* moment, float* nextWeights, float* nextMoment) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            TLanes.Store(TLanes.Load(weights + index), nextWeights + index);
            TLanes.Store(TLanes.Add(TLanes.Load(gradient + index), TLanes.Load(moment + index)), nextMoment + index);
        }
    }

    private readonly struct AdamStreams(
        float* gradient,
        float* weights,
        float* first,
        float* second,
        float* nextWeights,
        float* nextFirst,
        float* nextSecond
    ) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            TLanes.Store(TLanes.Load(weights + index), nextWeights + index);
            TLanes.Store(TLanes.Add(TLanes.Load(gradient + index), TLanes.Load(first + index)), nextFirst + index);
            TLanes.Store(TLanes.Load(second + index), nextSecond + index);
        }
    }
}
