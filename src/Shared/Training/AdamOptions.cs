using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>Adam by the formulas of torch.optim.Adam: weight decay is added to the gradient.</summary>
public record AdamOptions() : OptimizerOptions(learningRate: 0.001)
{
    private static readonly OptimizerConstant[] Own =
    [
        OptimizerConstant.Number<AdamOptions>(
            nameof(Beta1),
            "the decay of adam's running mean of the gradient",
            "0.95",
            adam => adam.Beta1,
            (adam, value) => adam with { Beta1 = value }
        ),
        OptimizerConstant.Number<AdamOptions>(
            nameof(Beta2),
            "the decay of adam's running mean of the squared gradient",
            "0.99",
            adam => adam.Beta2,
            (adam, value) => adam with { Beta2 = value }
        ),
        OptimizerConstant.Number<AdamOptions>(
            nameof(Epsilon),
            "what keeps adam's quotient finite where the gradient is 0",
            "1e-6",
            adam => adam.Epsilon,
            (adam, value) => adam with { Epsilon = value }
        ),
    ];

    /// <inheritdoc/>
    public override string Name => "adam";

    /// <summary>Decay of the running mean of the gradient; 0 to below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of the squared gradient; 0 to below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the quotient finite where the gradient is 0; above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    internal override IReadOnlyList<OptimizerConstant> Constants => Own;

    /// <summary>Whether weight decay shrinks the weights (AdamW) or joins the gradient (Adam).</summary>
    private protected virtual bool IsDecoupled => false;

    /// <inheritdoc/>
    internal override Optimizer CreateOptimizer() => new Rule(this);

    private protected override IEnumerable<OptionError> ConstantErrors()
    {
        if (Numbers.Fraction(nameof(Beta1), Beta1) is { } first)
            yield return first;
        if (Numbers.Fraction(nameof(Beta2), Beta2) is { } second)
            yield return second;
        if (!Numbers.IsPositive(Epsilon))
            yield return OptionError.Of(nameof(Epsilon), Epsilon, "must be a number above 0");
    }

    private sealed class Rule(AdamOptions options) : Optimizer
    {
        private readonly AdamSettings _settings = new(
            0,
            options.Beta1,
            options.Beta2,
            options.Epsilon,
            options.WeightDecay,
            options.IsDecoupled
        );

        public override IReadOnlyList<string> MomentNames { get; } = ["exp_avg", "exp_avg_sq"];

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
}

/// <summary>Adam with decoupled weight decay, which shrinks the weights themselves, as torch.optim.AdamW.</summary>
public sealed record AdamWOptions : AdamOptions
{
    /// <inheritdoc/>
    public override string Name => "adamw";

    private protected override bool IsDecoupled => true;
}
