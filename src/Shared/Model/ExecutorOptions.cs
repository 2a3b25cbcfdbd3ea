using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>What the layers of one replica share, and what sets one apart.</summary>
/// <param name="MaximumRows">The most samples in one call.</param>
/// <param name="Microbatch">Samples in a microbatch.</param>
/// <param name="NeedsInputGradient">Whether a layer before this one has parameters, so that the gradient must go on.</param>
/// <param name="Team">The threads.</param>
/// <param name="FirstRandomStream">
/// How many sequences of random draws (<see cref="Layer.RandomStreams"/>) the layers before this one have.
/// </param>
/// <param name="Absorbed">
/// The function that the layer before this one ends in, if the input's gradient is wanted as it is before that function.
/// </param>
/// <param name="LeavesActivationGradient">Whether the layer after this one does that with the function that this one ends in.</param>
/// <param name="Lanes">The most lanes in which a pass may come.</param>
internal sealed record ExecutorOptions(
    int MaximumRows,
    int Microbatch,
    bool NeedsInputGradient,
    ComputeTeam Team,
    int FirstRandomStream = 0,
    Activation Absorbed = Activation.None,
    bool LeavesActivationGradient = false,
    int Lanes = 1
);
