using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>Stochastic gradient descent by the formulas of torch.optim.SGD.</summary>
/// <param name="options">Momentum, Nesterov and weight decay.</param>
internal sealed class SgdOptimizer(OptimizerOptions options) : Optimizer
{
    private readonly SgdSettings _settings = new(0, (float)options.Momentum, options.Nesterov, (float)options.WeightDecay);

    /// <inheritdoc/>
    public override IReadOnlyList<string> MomentNames { get; } = options.Momentum == 0 ? [] : ["momentum_buffer"];

    /// <inheritdoc/>
    private protected override void Apply(
        in OptimizerStep step,
        int offset,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next
    )
    {
        var keeps = MomentNames.Count > 0;
        OptimizerKernels.MomentumSgd(
            _settings with
            {
                LearningRate = step.LearningRate,
            },
            gradientSum,
            step.Samples,
            step.ClipScale,
            Part(current.Weights, offset, gradientSum),
            keeps ? Part(current.Moments[0], offset, gradientSum) : [],
            Part(next.Weights, offset, gradientSum),
            keeps ? Part(next.Moments[0], offset, gradientSum) : [],
            step.Team,
            current.Weights.Length
        );
    }
}
