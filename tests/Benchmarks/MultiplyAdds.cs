using Distributed.Model;

namespace Distributed.Benchmarks;

/// <summary>Counts the multiply-adds of a training step: what the FMA bound of a step is made of.</summary>
internal static class MultiplyAdds
{
    /// <summary>
    /// Those of the products of a step: forward, weight gradients and input gradients, of which the first layer that is trained has none. Bias,
    /// activations, loss and update are left out, so that they count as overhead.
    /// </summary>
    public static double OfStep(Network network, int samples)
    {
        double[] forward = [.. network.Layers.Select(OfLayer).Where(count => count > 0)];
        return samples * ((3 * forward.Sum()) - forward[0]);
    }

    /// <summary>Those of the forward product for one sample.</summary>
    private static double OfLayer(Layer layer) => layer switch
    {
        DenseLayer => (double)layer.InputLength * layer.OutputLength,
        { Parameters.Count: 0 } => 0,
        _ => throw new NotSupportedException($"Nobody has said how many multiply-adds '{layer.Description}' has."),
    };
}
