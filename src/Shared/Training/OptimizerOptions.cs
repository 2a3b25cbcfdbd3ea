using System.Text.Json.Serialization;

namespace Distributed.Training;

/// <summary>
/// Which optimizer a run uses and its constants: one type for each optimizer, which validates itself and creates the optimizer. The
/// defaults are here and nowhere else.
/// </summary>
[JsonConverter(typeof(OptimizerOptionsConverter))]
public abstract record OptimizerOptions
{
    private protected OptimizerOptions(double learningRate) => LearningRate = learningRate;

    /// <summary>Every optimizer with its defaults; a new one is a line here.</summary>
    public static IReadOnlyList<OptimizerOptions> Known { get; } =
    [new SgdOptions(), new AdamOptions(), new AdamWOptions(), new AdagradOptions()];

    /// <summary>What the command line and <c>config.json</c> call the optimizer.</summary>
    public abstract string Name { get; }

    /// <summary>The highest learning rate, which a schedule scales; each optimizer has its own default.</summary>
    public double LearningRate { get; init; }

    /// <summary>Pull of each weight towards 0; at least 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>The largest norm of the mean gradient before it is scaled down; null for no limit, otherwise above 0.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The constants that this optimizer has besides those above, in the order of <c>config.json</c>.</summary>
    internal abstract IReadOnlyList<OptimizerConstant> Constants { get; }

    /// <summary>
    /// A momentum that <c>config.json</c> holds although the optimizer has none: earlier versions took and kept one, and it counts for the
    /// hash by which checkpoints know their run.
    /// </summary>
    internal double? UnusedMomentum { get; init; }

    /// <summary>The optimizer of this name with its defaults, or null.</summary>
    /// <param name="name">The name, in lower case.</param>
    public static OptimizerOptions? Find(string name) => Known.FirstOrDefault(known => known.Name == name);

    /// <summary>Creates the optimizer; the options have no <see cref="Errors"/>.</summary>
    internal abstract Optimizer CreateOptimizer();

    /// <summary>Every bad value.</summary>
    public IEnumerable<OptionError> Errors()
    {
        if (!Numbers.IsPositive(LearningRate))
            yield return OptionError.Of(nameof(LearningRate), LearningRate, "must be a number above 0");
        foreach (var error in ConstantErrors())
            yield return error;
        if (WeightDecay != 0 && !Numbers.IsPositive(WeightDecay))
            yield return OptionError.Of(nameof(WeightDecay), WeightDecay, "must be a number of at least 0");
        if (ClipNorm is { } norm && !Numbers.IsPositive(norm))
            yield return OptionError.Of(nameof(ClipNorm), norm, "must be a number above 0; leave it out for no limit");
    }

    /// <summary>Every bad value of this optimizer's own constants.</summary>
    private protected abstract IEnumerable<OptionError> ConstantErrors();

    /// <summary>The checks that optimizers share. Kernels compute in single precision, so a value must be in range there as well.</summary>
    private protected static class Numbers
    {
        internal static bool IsPositive(double value) => (float)value > 0 && float.IsFinite((float)value);

        internal static bool IsFraction(double value) => value >= 0 && (float)value < 1;

        internal static OptionError? Fraction(string property, double value) =>
            IsFraction(value) ? null : OptionError.Of(property, value, "must be a number from 0 to below 1");
    }
}
