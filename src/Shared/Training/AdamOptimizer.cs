using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>Adam and AdamW by the formulas of torch.optim.</summary>
/// <param name="options">Betas, epsilon and weight decay.</param>
/// <param name="decoupled">Whether weight decay shrinks the weights (AdamW) or joins the gradient (Adam).</param>
internal sealed class AdamOptimizer(OptimizerOptions options, bool decoupled) : Optimizer
{
    private readonly AdamSettings _settings = new(0, options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay, decoupled);

    /// <inheritdoc/>
    public override IReadOnlyList<string> MomentNames { get; } = ["exp_avg", "exp_avg_sq"];

    /// <inheritdoc/>
    private protected override void Apply(
        in OptimizerStep step,
        int offset,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next
    ) =>
        OptimizerKernels.Adam(
            _settings with
            {
                LearningRate = step.LearningRate,
            },
            step.Number,
            gradientSum,
            step.Samples,
            step.ClipScale,
            Part(current.Weights, offset, gradientSum),
            Part(current.Moments[0], offset, gradientSum),
            Part(current.Moments[1], offset, gradientSum),
            Part(next.Weights, offset, gradientSum),
            Part(next.Moments[0], offset, gradientSum),
            Part(next.Moments[1], offset, gradientSum),
            step.Team,
            current.Weights.Length
        );
}
