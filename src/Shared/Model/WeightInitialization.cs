using Distributed.Random;

namespace Distributed.Model;

/// <summary>
/// Bounds of uniform initial weights, chosen so that the variance of the signal stays the same from layer to layer, and the
/// draws themselves. A uniform variable on [-b, b) has the variance b^2/3.
/// </summary>
internal static class WeightInitialization
{
    /// <summary>The bound for a layer with this activation function after it.</summary>
    /// <remarks>
    /// ReLU: K. He et al., "Delving deep into rectifiers" (2015), variance 2/fan-in, since half of the inputs are zero.
    /// Tanh and sigmoid: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    /// (2010), variance 2/(fan-in + fan-out). None: variance 1/fan-in.
    /// </remarks>
    internal static float Bound(Activation activation, long fanIn, long fanOut) =>
        activation switch
        {
            Activation.Relu => (float)Math.Sqrt(6.0 / fanIn),
            Activation.Tanh or Activation.Sigmoid => (float)Math.Sqrt(6.0 / ((double)fanIn + fanOut)),
            _ => (float)Math.Sqrt(3.0 / fanIn),
        };

    /// <summary>Fills one parameter. Each value depends on the seed, the parameter and its own index, and on nothing else.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="parameter">Index of the parameter in the layout.</param>
    /// <param name="initial">What its elements start from.</param>
    /// <param name="destination">The parameter's elements; overwritten.</param>
    internal static void Fill(ulong seed, int parameter, InitialValues initial, Span<float> destination)
    {
        destination.Fill(initial.Value);
        if (initial.Bound == 0)
            return;
        CounterRandom random = new(seed, RandomPurpose.InitialWeights, (ulong)parameter);
        for (var i = 0; i < destination.Length; i++)
            destination[i] = initial.Bound * ((2 * random.Uniform((ulong)i)) - 1);
    }
}
