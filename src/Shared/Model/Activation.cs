namespace Distributed.Model;

/// <summary>The function applied to each element of a layer's output.</summary>
public enum Activation
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
