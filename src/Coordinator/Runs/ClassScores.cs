using Distributed.Data;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Coordinator.Runs;

/// <summary>How well a model does on labelled samples, class by class.</summary>
/// <param name="classes">Number of classes.</param>
internal sealed class ClassScores(int classes)
{
    private readonly int[] _samples = new int[classes];
    private readonly int[] _correct = new int[classes];
    private double _loss;

    /// <summary>Samples of each class.</summary>
    internal IReadOnlyList<int> Samples => _samples;

    /// <summary>Samples of each class that are classified rightly.</summary>
    internal IReadOnlyList<int> Correct => _correct;

    /// <summary>Samples of all classes.</summary>
    internal int Count => _samples.Sum();

    /// <summary>The mean loss per sample.</summary>
    internal double Loss => _loss / Count;

    /// <summary>The part of all samples, 0 to 1, that is classified rightly.</summary>
    internal double Accuracy => (double)_correct.Sum() / Count;

    /// <summary>Adds the scores of a set.</summary>
    /// <param name="model">The model.</param>
    /// <param name="samples">The samples, in the order of the model's classes.</param>
    /// <param name="inputs">Turns decoded samples, [rows, values], into the model's inputs, in place.</param>
    internal void Add(TrainedModel model, SampleSet samples, Action<Span<float>> inputs)
    {
        using var team = new ComputeTeam(Environment.ProcessorCount);
        var rowsPerCall = NetworkExecutor.RowsInOnePass(model.Network, microbatch: 1);
        var executor = new NetworkExecutor(model.Network, new Classification(classes), microbatch: 1, rowsPerCall, team);
        executor.BindWeights(model.Weights);
        var values = new float[rowsPerCall * model.Network.InputLength];
        for (var first = 0; first < samples.Count; first += rowsPerCall)
        {
            var rows = Math.Min(rowsPerCall, samples.Count - first);
            var batch = values.AsSpan(0, rows * model.Network.InputLength);
            samples.Decode([.. Enumerable.Range(first, rows)], batch);
            inputs(batch);
            Add(executor, batch, samples.Targets.Slice(first, rows));
        }
    }

    private void Add(NetworkExecutor executor, ReadOnlySpan<float> inputs, ReadOnlySpan<int> labels)
    {
        var logits = new float[labels.Length * classes];
        var losses = new float[labels.Length];
        executor.Outputs(inputs, logits);
        for (var row = 0; row < labels.Length; row++)
        {
            _samples[labels[row]]++;
            _correct[labels[row]] += FirstMaximum(logits.AsSpan(row * classes, classes)) == labels[row] ? 1 : 0;
        }
        SoftmaxCrossEntropy.Forward(logits, labels, classes, losses);
        foreach (var loss in losses)
            _loss += loss;
    }

    private static int FirstMaximum(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var index = 1; index < row.Length; index++)
            best = row[index] > row[best] ? index : best;
        return best;
    }
}
