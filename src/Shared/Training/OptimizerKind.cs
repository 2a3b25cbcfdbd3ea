namespace Distributed.Training;

/// <summary>The rules by which a gradient changes the weights.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent, with momentum unless that is 0.</summary>
    Sgd = 0,

    /// <summary>Adam; weight decay is added to the gradient.</summary>
    Adam,

    /// <summary>Adam with decoupled weight decay, which shrinks the weights themselves.</summary>
    AdamW,
}
