using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>What the layers of one replica share, and what differs from layer to layer.</summary>
/// <param name="MaximumRows">The most samples in one call.</param>
/// <param name="Microbatch">Samples in a microbatch.</param>
/// <param name="NeedsInputGradient">Whether a layer before this one has parameters, so that the gradient must go on.</param>
/// <param name="Team">The threads.</param>
/// <param name="FirstRandomStream">
/// How many sequences of random draws (<see cref="Layer.RandomStreams"/>) the layers before this one have.
/// </param>
/// <param name="FusedGradient">
/// The activation that the layer before this one ends in, if this layer's backward pass takes its gradient too; else none.
/// </param>
/// <param name="NextFusesGradient">Whether the layer after this one takes the gradient of the activation that this one ends in.</param>
/// <param name="Threads">The most threads that take rows of a pass by themselves at the same time.</param>
/// <param name="Packed">Keeps weights packed from one pass to the next; null where they change, as in training.</param>
internal sealed record ExecutorOptions(
    int MaximumRows,
    int Microbatch,
    bool NeedsInputGradient,
    ComputeTeam Team,
    int FirstRandomStream = 0,
    Activation FusedGradient = Activation.None,
    bool NextFusesGradient = false,
    int Threads = 1,
    PackedWeights? Packed = null
);
