using Distributed.Graphs;
using Distributed.Kernels.Threads;

namespace Distributed.Objectives;

/// <summary>
/// What training minimises and what is measured: how wide a model's output is, what it is compared with, the loss with its gradient, and
/// further sums over the samples with the figures that people read. An objective has no state and may be shared by threads.
/// </summary>
/// <remarks>
/// Targets are 32-bit words, <see cref="TargetWidth"/> a sample: integers, or the bits of floats
/// (<see cref="System.Runtime.InteropServices.MemoryMarshal.Cast{TFrom, TTo}(ReadOnlySpan{TFrom})"/> turns one into the other).
/// </remarks>
internal abstract class Objective
{
    /// <summary>Values that the model puts out for a sample.</summary>
    public abstract int OutputWidth { get; }

    /// <summary>32-bit words in the target of a sample.</summary>
    public abstract int TargetWidth { get; }

    /// <summary>Float sums that this objective fills, from 1 (the loss) to <see cref="BatchSums.FloatCount"/>.</summary>
    public virtual int FloatSums => 1;

    /// <summary>Writes the terms of the training loss of each sample, and replaces the outputs by the loss's gradient.</summary>
    /// <param name="outputs">[rows, <see cref="OutputWidth"/>]; overwritten by the gradient of the sum of the losses.</param>
    /// <param name="targets">[rows, <see cref="TargetWidth"/>].</param>
    /// <param name="terms">Receives what is summed.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A target is out of range.</exception>
    public abstract void Train(Span<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team);

    /// <summary>Writes the terms of the loss of each sample as the model is judged in evaluation.</summary>
    /// <param name="outputs">[rows, <see cref="OutputWidth"/>].</param>
    /// <param name="targets">[rows, <see cref="TargetWidth"/>].</param>
    /// <param name="terms">Receives what is summed.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A target is out of range.</exception>
    public abstract void Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team);

    /// <summary>What people read of an evaluation beside the loss, in the order in which it is shown.</summary>
    /// <param name="sums">The sums over all samples, at least one.</param>
    public abstract IReadOnlyList<Metric> Metrics(in BatchSums sums);

    /// <summary>What people read of the output for one sample.</summary>
    /// <param name="output">[<see cref="OutputWidth"/>].</param>
    /// <param name="names">[<see cref="OutputWidth"/>], what the outputs stand for.</param>
    public abstract Prediction Predict(ReadOnlySpan<float> output, IReadOnlyList<string> names);

    /// <summary>Adds what people read of the output for a sample to a graph of operators, as the graph's outputs.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">[batch, <see cref="OutputWidth"/>], what the last layer puts out.</param>
    /// <param name="names">[<see cref="OutputWidth"/>], what the outputs stand for.</param>
    public abstract void AddTo(IOperatorGraph graph, GraphValue output, IReadOnlyList<string> names);

    /// <summary>The objective of a training or of a model; the one place that knows them all.</summary>
    /// <param name="spec">What it is.</param>
    /// <param name="spread">
    /// Of numeric targets, the sum of the squared distances of each standardised one from its mean, over the set that is judged; null where
    /// nothing is judged.
    /// </param>
    /// <exception cref="InputException">The data is not fit for it.</exception>
    public static Objective Create(ObjectiveSpec spec, IReadOnlyList<double>? spread = null) =>
        spec switch
        {
            ClassificationSpec classes => new Classification(
                classes.Classes,
                (float)classes.LabelSmoothing,
                classes.ClassWeights,
                classes.HasWeights
            ),
            RegressionSpec numbers => new Regression(numbers, spread),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, "no objective is made of this"),
        };
}
