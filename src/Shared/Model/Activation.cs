using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>The function applied to each element of a layer's output.</summary>
internal enum Activation
{
    /// <summary>The output as it is.</summary>
    None = 0,

    /// <summary>max(x, 0); its derivative at 0 is 0.</summary>
    Relu,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>The logistic function 1 / (1 + exp(-x)).</summary>
    Sigmoid,
}

/// <summary>Chooses the kernel of an activation function.</summary>
internal static class ActivationFunctions
{
    /// <summary>Adds the function to a graph of operators.</summary>
    internal static GraphValue AddTo(IOperatorGraph graph, Activation activation, GraphValue input) =>
        activation switch
        {
            Activation.None => input,
            Activation.Relu => graph.Add("Relu", [input]),
            Activation.Tanh => graph.Add("Tanh", [input]),
            Activation.Sigmoid => graph.Add("Sigmoid", [input]),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "unknown activation"),
        };

    /// <summary>As part of a matrix product: adds the bias to each row of the product and applies the function.</summary>
    /// <param name="activation">The function.</param>
    /// <param name="bias">[n].</param>
    internal static Epilogue BiasEpilogue(Activation activation, ReadOnlySpan<float> bias) =>
        activation switch
        {
            Activation.None => Epilogue.AddBias(bias),
            Activation.Relu => Epilogue.BiasRelu(bias),
            Activation.Tanh => Epilogue.BiasTanh(bias),
            Activation.Sigmoid => Epilogue.BiasSigmoid(bias),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "unknown activation"),
        };

    /// <summary>
    /// The gradient as part of a matrix product: multiplies the product by the function's derivative, which its output alone decides.
    /// </summary>
    /// <param name="activation">The function.</param>
    /// <param name="output">[rows, n], what the function gave.</param>
    internal static Epilogue GradientEpilogue(Activation activation, ReadOnlySpan<float> output) =>
        activation switch
        {
            Activation.None => default,
            Activation.Relu => Epilogue.ReluGradient(output),
            Activation.Tanh => Epilogue.TanhGradient(output),
            Activation.Sigmoid => Epilogue.SigmoidGradient(output),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "unknown activation"),
        };

    /// <summary>Multiplies the gradient by the function's derivative, which its output alone decides, in place.</summary>
    /// <param name="activation">The function.</param>
    /// <param name="output">[rows, n], what the function gave.</param>
    /// <param name="gradient">[rows, n], with respect to the output; on return with respect to the input.</param>
    /// <param name="team">The threads.</param>
    internal static void ApplyGradient(Activation activation, ReadOnlySpan<float> output, Span<float> gradient, ComputeTeam team)
    {
        switch (activation)
        {
            case Activation.None:
                break;
            case Activation.Relu:
                ElementFunctions.Backward(default(ActivationFunction<ReluActivation>), output, gradient, gradient, team);
                break;
            case Activation.Tanh:
                ElementFunctions.Backward(default(ActivationFunction<TanhActivation>), output, gradient, gradient, team);
                break;
            case Activation.Sigmoid:
                ElementFunctions.Backward(default(ActivationFunction<SigmoidActivation>), output, gradient, gradient, team);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "unknown activation");
        }
    }
}
