using Distributed.Kernels;
using Distributed.Kernels.Embeddings;

namespace Distributed.Training;

/// <summary>Stochastic gradient descent by the formulas of torch.optim.SGD, with momentum unless that is 0.</summary>
public sealed record SgdOptions() : OptimizerOptions(learningRate: 0.1)
{
    private static readonly OptimizerConstant[] Own =
    [
        OptimizerConstant.Number<SgdOptions>(
            nameof(Momentum),
            "the share of the last direction that sgd keeps",
            "0.95",
            sgd => sgd.Momentum,
            (sgd, value) => sgd with { Momentum = value }
        ),
        OptimizerConstant.Switch<SgdOptions>(
            nameof(Nesterov),
            "let sgd look ahead along its momentum",
            sgd => sgd.Nesterov,
            (sgd, value) => sgd with { Nesterov = value }
        ),
    ];

    /// <inheritdoc/>
    public override string Name => "sgd";

    /// <summary>Share of the last step's direction that is kept; 0 to below 1.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Whether to look ahead along the momentum (Nesterov).</summary>
    public bool Nesterov { get; init; }

    internal override IReadOnlyList<OptimizerConstant> Constants => Own;

    /// <inheritdoc/>
    internal override Optimizer CreateOptimizer() => new Rule(this);

    private protected override IEnumerable<OptionError> ConstantErrors()
    {
        if (Numbers.Fraction(nameof(Momentum), Momentum) is { } error)
            yield return error;
        if (Nesterov && Momentum == 0)
            yield return new OptionError(nameof(Nesterov), null, "needs a {0} above 0", nameof(Momentum));
    }

    private sealed class Rule(SgdOptions options) : Optimizer
    {
        private readonly SgdSettings _settings = new(0, (float)options.Momentum, options.Nesterov, (float)options.WeightDecay);

        public override IReadOnlyList<string> MomentNames { get; } = options.Momentum == 0 ? [] : ["momentum_buffer"];

        public override bool LeavesUntouchedAlone { get; } = options is { Momentum: 0, WeightDecay: 0 };

        internal override void UpdateRows(
            in OptimizerStep step,
            TouchedRows rows,
            ReadOnlySpan<float> gradientSum,
            TrainingState current,
            TrainingState next
        ) => RowKernels.Sgd(step.LearningRate, rows, gradientSum, step.Samples, current.Weights.Span, next.Weights.Span, step.Team);

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
}
