using System.Globalization;

namespace Distributed.Training;

/// <summary>Which optimizer a run uses and its constants. The defaults are here and nowhere else.</summary>
public sealed record OptimizerOptions
{
    /// <summary>The rule.</summary>
    public OptimizerKind Kind { get; init; } = OptimizerKind.Sgd;

    /// <summary>
    /// The highest learning rate, which a schedule scales; null for the rule's default: 0.1 for sgd, 0.001 for adam and adamw.
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>Share of the last step's direction that is kept; sgd only, 0 to below 1.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Whether sgd looks ahead along its momentum (Nesterov).</summary>
    public bool Nesterov { get; init; }

    /// <summary>Decay of the running mean of the gradient; adam and adamw only, 0 to below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of the squared gradient; adam and adamw only, 0 to below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps Adam's quotient finite where the gradient is 0; above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Pull of each weight towards 0; at least 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>The largest norm of the mean gradient before it is scaled down; null for no limit, otherwise above 0.</summary>
    public double? ClipNorm { get; init; }

    /// <summary><see cref="LearningRate"/>, or the rule's default.</summary>
    public double ResolvedLearningRate => LearningRate ?? (Kind == OptimizerKind.Sgd ? 0.1 : 0.001);

    /// <summary>All that is wrong with the values: one line each that names the option, the value and what would be right.</summary>
    public IEnumerable<string> Errors()
    {
        if (!Enum.IsDefined(Kind))
            yield return $"--optimizer {Kind}: must be sgd, adam or adamw";
        if (!IsPositive(ResolvedLearningRate))
            yield return Line("--learning-rate", ResolvedLearningRate, "a number above 0");
        if (!IsFraction(Momentum))
            yield return Line("--momentum", Momentum, "a number from 0 to below 1");
        if (Nesterov && (Kind != OptimizerKind.Sgd || Momentum == 0))
            yield return "--nesterov: needs --optimizer sgd and a --momentum above 0";
        if (!IsFraction(Beta1))
            yield return Line("beta1", Beta1, "a number from 0 to below 1");
        if (!IsFraction(Beta2))
            yield return Line("beta2", Beta2, "a number from 0 to below 1");
        if (!IsPositive(Epsilon))
            yield return Line("epsilon", Epsilon, "a number above 0");
        if (WeightDecay != 0 && !IsPositive(WeightDecay))
            yield return Line("--weight-decay", WeightDecay, "a number of at least 0");
        if (ClipNorm is { } norm && !IsPositive(norm))
            yield return Line("--clip-norm", norm, "a number above 0; leave it out for no limit");
    }

    /// <summary>The kernels compute in single precision, so that a value must be positive and finite there, too.</summary>
    private static bool IsPositive(double value) => (float)value > 0 && float.IsFinite((float)value);

    private static bool IsFraction(double value) => value >= 0 && (float)value < 1;

    private static string Line(string option, double value, string remedy) =>
        string.Create(CultureInfo.InvariantCulture, $"{option} {value}: must be {remedy}");
}
