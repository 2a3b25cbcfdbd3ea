using Distributed.Kernels.Threads;

namespace Distributed.Training;

/// <summary>
/// The numbers of one step that all its elements share; see
/// <see cref="Optimizer.Update(long, float, int, float, ReadOnlySpan{float}, TrainingState, TrainingState, ComputeTeam?)"/>.
/// </summary>
internal readonly record struct OptimizerStep(long Number, float LearningRate, int Samples, float ClipScale, ComputeTeam? Team);
