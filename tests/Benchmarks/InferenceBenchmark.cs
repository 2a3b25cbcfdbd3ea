using System.Globalization;
using Distributed.Data;
using Distributed.Export;
using Distributed.Training;
using Microsoft.ML.OnnxRuntime;

namespace Distributed.Benchmarks;

/// <summary>
/// Predicting raw images of Fashion-MNIST on one core, bytes in and probabilities out, beside ONNX Runtime with one thread on the same model,
/// exported. Nothing is parsed or printed meanwhile.
/// </summary>
internal static class InferenceBenchmark
{
    private const int Rounds = 9;
    private const double SliceSeconds = 0.2;
    private const double Tolerance = 1e-4;

    private static readonly string[] Presets = ["mlp", "mlp:2048,2048", "cnn", "resnet8"];
    private static readonly int[] Batches = [256, 1];

    /// <param name="models">What to measure; none for the presets.</param>
    public static void Run(string[] models)
    {
        var data = Dataset.Open("fashion-mnist");
        Console.WriteLine(
            $"One core, one thread each; medians of {Rounds} interleaved rounds ± half the interquartile range. ONNX Runtime {OrtEnv.Instance().GetVersionString()}."
        );
        Console.WriteLine();
        Console.WriteLine("| model | batch | ours, us a sample | ONNX Runtime, us a sample | ONNX Runtime / ours |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var name in models is [] ? Presets : models)
        {
            var options = new TrainingOptions
            {
                Model = name,
                Steps = 1,
                EvalEvery = 1,
            };
            var model = new Trainer(data, options) { Threads = 1 }
                .Train()
                .Model;
            foreach (var batch in Batches)
                Compare(name, model, data.Test, batch);
        }
    }

    private static void Compare(string name, TrainedModel model, SampleSet samples, int batch)
    {
        var raw = new byte[batch * samples.BytesPerSample];
        for (var sample = 0; sample < batch; sample++)
            samples.CopyRaw(sample, raw.AsSpan(sample * samples.BytesPerSample));
        var probabilities = new float[batch * model.ClassNames.Count];
        using var peer = new Session(model, raw, batch);
        Measurement ours = new(),
            theirs = new();
        for (var round = 0; round < Rounds; round++)
        {
            theirs.Add(Measurement.Time(peer.Run, SliceSeconds));
            ours.Add(Measurement.Time(() => model.PredictProbabilities(raw, probabilities), SliceSeconds));
        }

        var distance = probabilities.Zip(peer.Probabilities, (left, right) => Math.Abs(left - right)).Max();
        if (distance > Tolerance)
            throw new InvalidOperationException($"{name}: the probabilities differ by {distance}");
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {batch} | {1e6 * ours.Median / batch:F2} | {1e6 * theirs.Median / batch:F2} | {theirs.Over(ours).AsRatio} |"
            )
        );
    }

    /// <summary>ONNX Runtime with one thread, which writes into memory that is there.</summary>
    private sealed class Session : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly RunOptions _run = new();
        private readonly OrtValue _input;
        private readonly OrtValue _output;

        public Session(TrainedModel model, byte[] raw, int batch)
        {
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
            var path = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}.onnx");
            model.ExportOnnx(path);
            _session = new InferenceSession(path, options);
            File.Delete(path);
            Probabilities = new float[batch * model.ClassNames.Count];
            var shape = model.InputShape;
            _input = OrtValue.CreateTensorValueFromMemory(raw, [batch, shape.Channels, shape.Height, shape.Width]);
            _output = OrtValue.CreateTensorValueFromMemory(Probabilities, [batch, model.ClassNames.Count]);
        }

        public float[] Probabilities { get; }

        public void Run() => _session.Run(_run, ["input"], [_input], ["probabilities"], [_output]);

        public void Dispose()
        {
            _output.Dispose();
            _input.Dispose();
            _run.Dispose();
            _session.Dispose();
        }
    }
}
