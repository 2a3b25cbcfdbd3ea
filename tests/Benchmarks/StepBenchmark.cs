using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>A whole training step on one core, beside PyTorch on one thread, as a share of what the core's multiply-adds allow.</summary>
internal static class StepBenchmark
{
    private const int Rounds = 9;
    private const int Batch = 128;
    private const double SliceSeconds = 0.1;

    private static readonly string[] Presets = ["mlp", "mlp:2048,2048", "cnn"];

    /// <param name="models">What to measure; none for the presets.</param>
    public static void Run(string[] models)
    {
        using var peak = Peer.OfC("fma_peak.c", []);
        using var torch = Peer.OfPython("pytorch_step.py");
        using var wide = Peer.CanBeWide ? Peer.OfPython("pytorch_step.py", ("OPENBLAS_CORETYPE", "SkylakeX")) : null;
        Console.WriteLine($"One core, batch {Batch}, momentum SGD; medians of {Rounds} interleaved rounds ± half the interquartile range.");
        Console.WriteLine(
            "bound: the seconds that the step's multiply-adds take at the measured peak. wide: PyTorch with OPENBLAS_CORETYPE=SkylakeX."
        );
        Console.WriteLine();
        Console.WriteLine("| model | ms a step | of bound | PyTorch, of bound | wide, of bound | ours / PyTorch | ours / wide |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var model in models is [] ? Presets : models)
            Compare(model, peak, torch, wide);
    }

    private static void Compare(string model, Peer? peak, Peer? torch, Peer? wide)
    {
        using var step = TrainingStep.Of(model, Batch, threads: 1);
        if (step is null)
            return;
        var request = string.Create(CultureInfo.InvariantCulture, $"{model} {Batch}");
        if (model != "cnn" && !model.StartsWith("mlp", StringComparison.Ordinal))
            (torch, wide) = (null, null); // the peer does not read model files
        Measurement bound = new(),
            ours = new(),
            theirs = new(),
            theirsWide = new();
        for (var round = 0; round < Rounds; round++)
        {
            if (peak is not null)
                bound.Add(peak.Seconds("") * step.MultiplyAdds / 1e9);
            theirs.AddFrom(torch, request);
            ours.Add(Measurement.Time(step.Run, SliceSeconds));
            theirsWide.AddFrom(wide, request);
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {1000 * ours.Median:F2} | {Share(ours)} | {Share(theirs)} | {Share(theirsWide)} | {theirs.Over(ours).AsRatio} | {theirsWide.Over(ours).AsRatio} |"
            )
        );

        string Share(Measurement seconds) =>
            bound.Over(seconds) is { Median: > 0 } shares ? shares.Median.ToString("P0", CultureInfo.InvariantCulture) : "-";
    }
}
