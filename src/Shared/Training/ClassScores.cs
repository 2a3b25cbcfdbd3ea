using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>How well a model does on labelled samples, class by class.</summary>
/// <param name="classes">Number of classes.</param>
internal sealed class ClassScores(int classes)
{
    private readonly int[] _samples = new int[classes];
    private readonly int[] _correct = new int[classes];
    private readonly int[] _predicted = new int[classes];
    private readonly Dictionary<(int Class, int Predicted), int> _confusions = []; // few of all pairs, where there are many classes
    private readonly List<double>[] _scores =
    [
        [],
        [],
    ]; // of two classes: how much more the second one is than the first
    private double _loss;

    /// <summary>Samples of each class.</summary>
    internal IReadOnlyList<int> Samples => _samples;

    /// <summary>Samples of each class that are classified correctly.</summary>
    internal IReadOnlyList<int> Correct => _correct;

    /// <summary>Samples that are taken for each class, rightly or not.</summary>
    internal IReadOnlyList<int> Predicted => _predicted;

    /// <summary>How many samples of a class are taken for a class.</summary>
    internal int Confused(int actual, int predicted) => _confusions.GetValueOrDefault((actual, predicted));

    /// <summary>The pairs of classes of which samples of the first are taken for the second, which may be the same; the most frequent ones first.</summary>
    internal IEnumerable<(int Class, int Predicted, int Samples)> Confusions =>
        _confusions
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key)
            .Select(pair => (pair.Key.Class, pair.Key.Predicted, pair.Value));

    /// <summary>The part of the samples that are taken for a class that belong to it; null if there are none.</summary>
    internal double? Precision(int index) => Part(_correct[index], _predicted[index]);

    /// <summary>The part of the samples of a class that are taken for it; null if there are none.</summary>
    internal double? Recall(int index) => Part(_correct[index], _samples[index]);

    /// <summary>The harmonic mean of both; null where a class is neither there nor predicted.</summary>
    internal double? F1(int index) => Part(2L * _correct[index], (long)_samples[index] + _predicted[index]);

    /// <summary>Samples of all classes.</summary>
    internal int Count => _samples.Sum();

    /// <summary>The mean loss per sample.</summary>
    internal double Loss => _loss / Count;

    /// <summary>The part of all samples, 0 to 1, that is classified correctly.</summary>
    internal double Accuracy => (double)_correct.Sum() / Count;

    /// <summary>
    /// The area under the ROC curve of two classes, of which the second is the positive one; null for more classes, NaN where one is missing.
    /// </summary>
    internal double? Auc => classes == 2 ? AreaUnderCurve.Of(_scores[0], _scores[1]) : null;

    /// <summary>Adds the scores of a set.</summary>
    /// <param name="model">The model.</param>
    /// <param name="samples">The samples, in the order of the model's classes.</param>
    internal void Add(TrainedModel model, SampleSet samples)
    {
        var row = 0;
        var passes = ModelPass.Outputs(model.Network, model.Objective, model.Weights, samples.Count, ModelScore.InputsOf(samples));
        foreach (var outputs in passes)
        {
            for (var start = 0; start < outputs.Length; start += classes)
                Add(outputs.Span.Slice(start, classes), samples.Targets[row++ * samples.TargetWidth]);
        }
    }

    private void Add(ReadOnlySpan<float> output, int label)
    {
        _samples[label]++;
        var predicted = Classification.FirstMaximum(output);
        _predicted[predicted]++;
        _confusions[(label, predicted)] = Confused(label, predicted) + 1;
        _correct[label] += predicted == label ? 1 : 0;
        _loss += Classification.Loss(output, label);
        if (classes == 2)
            _scores[label].Add((double)output[1] - output[0]);
    }

    private static double? Part(long some, long all) => all == 0 ? null : (double)some / all;
}
