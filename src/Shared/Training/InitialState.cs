using Distributed.Checkpoints;
using Distributed.Model;

namespace Distributed.Training;

/// <summary>The state before the first step.</summary>
internal static class InitialState
{
    /// <summary>Given weights, or those drawn from the seed, and moments of zeros.</summary>
    /// <param name="configuration">The seed and the optimizer.</param>
    /// <param name="network">The model.</param>
    /// <param name="weights">The flat vector to start from, or null.</param>
    public static Checkpoint Of(RunConfiguration configuration, Network network, float[]? weights)
    {
        if (weights is null)
        {
            weights = new float[network.Layout.Length];
            network.InitializeWeights(configuration.Options.Seed, weights);
        }
        var moments = configuration
            .Options.Optimizer.CreateOptimizer()
            .MomentNames.Select(name => (name, (ReadOnlyMemory<float>)new float[weights.Length]));
        return new Checkpoint(0, weights, [.. moments]);
    }
}
