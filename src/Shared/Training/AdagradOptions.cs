using Distributed.Kernels;
using Distributed.Kernels.Embeddings;

namespace Distributed.Training;

/// <summary>
/// Adagrad by the formulas of torch.optim.Adagrad. The rows of embedding tables have one sum each, and those that a step does not touch are left
/// alone, unless weights decay or gradients are clipped: then tables are treated as all other parameters.
/// </summary>
public sealed record AdagradOptions() : OptimizerOptions(learningRate: 0.01)
{
    private static readonly OptimizerConstant[] Own =
    [
        OptimizerConstant.Number<AdagradOptions>(
            nameof(Epsilon),
            "what keeps adagrad's quotient finite where the gradient is 0",
            "1e-8",
            adagrad => adagrad.Epsilon,
            (adagrad, value) => adagrad with { Epsilon = value }
        ),
    ];

    /// <inheritdoc/>
    public override string Name => "adagrad";

    /// <summary>Keeps the quotient finite where the gradient is 0; above 0.</summary>
    public double Epsilon { get; init; } = 1e-10;

    internal override IReadOnlyList<OptimizerConstant> Constants => Own;

    /// <inheritdoc/>
    internal override Optimizer CreateOptimizer() => new Rule(this);

    private protected override IEnumerable<OptionError> ConstantErrors()
    {
        if (!Numbers.IsPositive(Epsilon))
            yield return OptionError.Of(nameof(Epsilon), Epsilon, "must be a number above 0");
    }

    private sealed class Rule(AdagradOptions options) : Optimizer
    {
        private readonly AdagradSettings _settings = new(0, (float)options.Epsilon, (float)options.WeightDecay);

        public override IReadOnlyList<string> MomentNames { get; } = ["sum"];

        public override bool LeavesUntouchedAlone { get; } = options.WeightDecay == 0;

        internal override void UpdateRows(
            in OptimizerStep step,
            TouchedRows rows,
            ReadOnlySpan<float> gradientSum,
            TrainingState current,
            TrainingState next
        ) =>
            RowKernels.Adagrad(
                _settings with
                {
                    LearningRate = step.LearningRate,
                },
                rows,
                gradientSum,
                step.Samples,
                current.Weights.Span,
                current.Moments[0].Span,
                next.Weights.Span,
                next.Moments[0].Span,
                step.Team
            );

        private protected override void Apply(
            in OptimizerStep step,
            int offset,
            ReadOnlySpan<float> gradientSum,
            TrainingState current,
            TrainingState next
        ) =>
            OptimizerKernels.Adagrad(
                _settings with
                {
                    LearningRate = step.LearningRate,
                },
                gradientSum,
                step.Samples,
                step.ClipScale,
                Part(current.Weights, offset, gradientSum),
                Part(current.Moments[0], offset, gradientSum),
                Part(next.Weights, offset, gradientSum),
                Part(next.Moments[0], offset, gradientSum),
                step.Team,
                current.Weights.Length
            );
    }
}
