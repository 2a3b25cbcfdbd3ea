using Distributed.Model;

namespace Distributed.Shared.Tests.Model;

/// <summary>The loss of a network in double precision, written as the textbook has it: the oracle of the executor.</summary>
internal sealed class ReferenceNetwork(ModelSpec spec, int classes)
{
    /// <summary>Sum of the cross-entropy over all rows.</summary>
    /// <param name="weights">Flat vector of all parameters.</param>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="labels">[rows].</param>
    public double Loss(double[] weights, double[] inputs, int[] labels)
    {
        int width = inputs.Length / labels.Length;
        double sum = 0;
        for (int row = 0; row < labels.Length; row++)
            sum += CrossEntropy(Logits(weights, inputs.AsSpan(row * width, width)), labels[row]);
        return sum;
    }

    /// <summary>Central differences of the loss in the direction of each parameter.</summary>
    public double[] Gradient(double[] weights, double[] inputs, int[] labels)
    {
        const double step = 1e-6;
        double[] moved = [.. weights];
        double[] gradient = new double[weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            moved[i] = weights[i] + step;
            double above = Loss(moved, inputs, labels);
            moved[i] = weights[i] - step;
            gradient[i] = (above - Loss(moved, inputs, labels)) / (2 * step);
            moved[i] = weights[i];
        }

        return gradient;
    }

    public double[] Logits(ReadOnlySpan<double> weights, ReadOnlySpan<double> input)
    {
        double[] values = input.ToArray();
        foreach (LayerSpec layer in spec.Layers)
        {
            values = layer switch
            {
                DenseSpec dense => Dense(ref weights, values, dense.Units),
                ActivationSpec activation => Array.ConvertAll(values, value => Apply(activation.Function, value)),
                _ => throw new ArgumentException(layer.Type),
            };
        }

        return spec.Layers is [.., DenseSpec last] && last.Units == classes ? values : Dense(ref weights, values, classes);
    }

    private static double[] Dense(ref ReadOnlySpan<double> weights, double[] input, int units)
    {
        double[] output = weights.Slice(units * input.Length, units).ToArray();
        for (int unit = 0; unit < units; unit++)
        {
            for (int i = 0; i < input.Length; i++)
                output[unit] += weights[(unit * input.Length) + i] * input[i];
        }

        weights = weights[(units * (input.Length + 1))..];
        return output;
    }

    private static double Apply(Activation function, double x) => function switch
    {
        Activation.Relu => Math.Max(x, 0),
        Activation.Tanh => Math.Tanh(x),
        _ => 1 / (1 + Math.Exp(-x)),
    };

    private static double CrossEntropy(double[] logits, int label)
    {
        double maximum = logits.Max();
        return maximum + Math.Log(logits.Sum(logit => Math.Exp(logit - maximum))) - logits[label];
    }
}
