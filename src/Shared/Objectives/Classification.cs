using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Objectives;

/// <summary>
/// One of several classes for each sample: the outputs are logits, the loss is the cross-entropy with their softmax, and the figure that
/// people read is the accuracy. A target is the index of the class.
/// </summary>
internal sealed class Classification : Objective
{
    /// <summary>The most classes that a model may tell apart.</summary>
    public const int MaximumClasses = 1 << 20;

    private const int Correct = 0; // the count of samples whose first largest logit is the target's

    private readonly float _labelSmoothing;
    private readonly float[] _classWeights; // none if all classes count alike
    private readonly bool _hasWeights;

    /// <summary>Describes an objective.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="labelSmoothing">
    /// The part of each training target that is spread over all classes alike, 0 to below 1; evaluation does not smooth.
    /// </param>
    /// <param name="classWeights">
    /// How much the loss of a training sample counts by its class; null if all count alike, as they do in evaluation.
    /// </param>
    /// <param name="hasWeights">Whether a sample's target is followed by a weight of its own, which counts in training alone.</param>
    /// <exception cref="InputException">There are too few or too many classes, or another number of weights.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The smoothing is out of range.</exception>
    public Classification(int classes, float labelSmoothing = 0, IReadOnlyList<double>? classWeights = null, bool hasWeights = false)
    {
        if (classes is < 2 or > MaximumClasses)
            throw new InputException($"the data has {classes} classes: a classifier needs 2 to {MaximumClasses}");
        if (!(labelSmoothing >= 0 && labelSmoothing < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "a smoothing is at least 0 and below 1");
        if (classWeights is not null && classWeights.Count != classes)
            throw new InputException($"there are {classWeights.Count} class weights, but {classes} classes");
        OutputWidth = classes;
        _hasWeights = hasWeights;
        _classWeights = [.. (classWeights ?? []).Select(weight => (float)weight)];
        _labelSmoothing = labelSmoothing;
    }

    /// <inheritdoc />
    public override int OutputWidth { get; }

    /// <inheritdoc />
    public override int TargetWidth => _hasWeights ? 2 : 1;

    /// <inheritdoc />
    public override void Train(Span<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team)
    {
        terms.Counts[Correct] = SoftmaxCrossEntropy.ForwardBackward(outputs, targets, OutputWidth, terms.Losses, _labelSmoothing, team);
        if (_hasWeights || _classWeights.Length > 0)
            SampleWeights.Apply(outputs, terms.Losses, targets, _classWeights, _hasWeights, team);
    }

    /// <inheritdoc />
    public override void Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team) =>
        terms.Counts[Correct] = SoftmaxCrossEntropy.Forward(outputs, targets, OutputWidth, terms.Losses, team);

    /// <summary>The class of the first largest output, as the accuracy counts it, and the softmax of the outputs.</summary>
    /// <inheritdoc />
    public override Prediction Predict(ReadOnlySpan<float> output, IReadOnlyList<string> names)
    {
        var best = FirstMaximum(output);
        var probabilities = new float[output.Length];
        Softmax(output, new double[output.Length], probabilities);
        return new Prediction(names[best], probabilities);
    }

    /// <summary>The name of the class of the first largest output, the softmax of the outputs, and these themselves.</summary>
    /// <inheritdoc />
    public override void AddTo(IOperatorGraph graph, GraphValue output, IReadOnlyList<string> names)
    {
        var best = graph.Add("ArgMax", [output], GraphAttribute.Of("axis", 1), GraphAttribute.Of("keepdims", 0));
        graph.Output("label", graph.Add("Gather", [graph.Constant(names), best]), GraphType.Text);
        graph.Output("probabilities", graph.Add("Softmax", [output], GraphAttribute.Of("axis", 1)), GraphType.Float, OutputWidth);
        graph.Output("logits", output, GraphType.Float, OutputWidth);
    }

    /// <inheritdoc />
    public override IReadOnlyList<Metric> Metrics(in BatchSums sums) => [new("accuracy", (double)sums.Counts[Correct] / sums.Samples)];

    /// <summary>The index of the first largest output.</summary>
    internal static int FirstMaximum(ReadOnlySpan<float> output)
    {
        var best = 0;
        for (var index = 1; index < output.Length; index++)
            best = output[index] > output[best] ? index : best;
        return best;
    }

    /// <summary>The loss of a sample in evaluation.</summary>
    internal static float Loss(ReadOnlySpan<float> output, int label)
    {
        Span<float> loss = stackalloc float[1];
        SoftmaxCrossEntropy.Forward(output, [label], output.Length, loss);
        return loss[0];
    }

    /// <summary>One chain in double precision, so that the probabilities of a sample are the same on every machine.</summary>
    /// <param name="output">[n], logits.</param>
    /// <param name="exponentials">[n], scratch.</param>
    /// <param name="probabilities">[n]; overwritten.</param>
    internal static void Softmax(ReadOnlySpan<float> output, Span<double> exponentials, Span<float> probabilities)
    {
        var maximum = output[FirstMaximum(output)];
        double sum = 0;
        for (var index = 0; index < output.Length; index++)
        {
            exponentials[index] = ScalarMath.Exp((double)output[index] - maximum);
            sum += exponentials[index];
        }

        for (var index = 0; index < output.Length; index++)
            probabilities[index] = (float)(exponentials[index] / sum);
    }
}
