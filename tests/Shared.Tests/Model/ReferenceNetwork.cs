using Distributed.Model;
using Distributed.Model.Layers;

namespace Distributed.Shared.Tests.Model;

/// <summary>The loss of a network in double precision, written as the textbook has it: the oracle of the executor.</summary>
/// <param name="spec">The layers.</param>
/// <param name="input">What a sample is made of.</param>
/// <param name="classes">Number of classes.</param>
/// <param name="microbatch">Samples that are normalised together.</param>
/// <param name="training">
/// Whether activations are dropped, by the draws of seed 3 and step 1, and microbatches are normalised by their own statistics.
/// </param>
internal sealed class ReferenceNetwork(ModelSpec spec, InputColumns input, int classes, int microbatch, bool training)
{
    /// <summary>Sum of the cross-entropy over all rows.</summary>
    /// <param name="weights">Flat vector of all parameters.</param>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="labels">[rows].</param>
    public double Loss(double[] weights, double[] inputs, int[] labels) => Logits(weights, inputs).Zip(labels, CrossEntropy).Sum();

    /// <summary>Central differences of the loss in the direction of each parameter.</summary>
    public double[] Gradient(double[] weights, double[] inputs, int[] labels)
    {
        const double step = 1e-6;
        double[] moved = [.. weights];
        var gradient = new double[weights.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            moved[i] = weights[i] + step;
            var above = Loss(moved, inputs, labels);
            moved[i] = weights[i] - step;
            gradient[i] = (above - Loss(moved, inputs, labels)) / (2 * step);
            moved[i] = weights[i];
        }

        return gradient;
    }

    /// <summary>The logits of each row.</summary>
    public double[][] Logits(double[] weights, double[] inputs)
    {
        var endsInClasses = spec.Layers is [.., DenseSpec last] && last.Units == classes;
        ReferencePass pass = new(weights, input.Categories, microbatch, training);
        ReferenceBatch batch = new(input.Shape, [.. inputs.Chunk(input.Shape.Length)]);
        return pass.Run(endsInClasses ? spec.Layers : [.. spec.Layers, new DenseSpec(classes)], batch).Rows;
    }

    private static double CrossEntropy(double[] logits, int label)
    {
        var maximum = logits.Max();
        return maximum + Math.Log(logits.Sum(logit => Math.Exp(logit - maximum))) - logits[label];
    }
}
