using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>What the layers of one replica share.</summary>
/// <param name="MaximumRows">The most samples in one call.</param>
/// <param name="Microbatch">Samples in a microbatch.</param>
/// <param name="NeedsInputGradient">Whether a layer before this one has parameters, so that the gradient must go on.</param>
/// <param name="Team">The threads.</param>
internal sealed record ExecutorOptions(int MaximumRows, int Microbatch, bool NeedsInputGradient, ComputeTeam Team);
