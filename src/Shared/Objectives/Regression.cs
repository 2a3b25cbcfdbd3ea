using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Objectives;

/// <summary>
/// One or several numbers for each sample: outputs and targets are numbers of mean 0 and deviation 1 over the training set, the loss is a
/// function of their distance, added up over the targets, and the figures that people read are in the targets' own units. A target is the
/// bits of its floats.
/// </summary>
internal sealed class Regression : Objective
{
    // The float sums behind the loss, in the unit of the target with the largest deviation, so that no unit overflows them.
    private const int Squares = 1;
    private const int Distances = 2;

    private readonly NumericTargets _targets;
    private readonly RegressionLoss _loss;
    private readonly float _huberDelta;
    private readonly bool _hasWeights;
    private readonly double _unit;
    private readonly float[] _scales; // of each target, to the unit
    private readonly double _spread; // in the unit, squared

    /// <summary>Describes an objective.</summary>
    /// <param name="spec">What is predicted, and what is minimised.</param>
    /// <param name="spread">
    /// The sum of the squared distances of each standardised target from its mean, over the set that is judged; without it there is no R2.
    /// </param>
    /// <exception cref="InputException">The delta is missing, or not above 0.</exception>
    public Regression(RegressionSpec spec, IReadOnlyList<double>? spread = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        (_targets, _loss, _hasWeights) = (spec.Targets, spec.Loss, spec.HasWeights);
        _huberDelta = (float)(spec.HuberDelta ?? 0);
        if (_loss == RegressionLoss.Huber && !(_huberDelta > 0 && float.IsFinite(_huberDelta)))
            throw new InputException($"a Huber loss needs a delta above 0, not {spec.HuberDelta}");
        _unit = _targets.Deviations.Max();
        double[] scales = [.. _targets.Deviations.Select(deviation => deviation / _unit)];
        _scales = Array.ConvertAll(scales, scale => (float)scale);
        _spread = spread is null ? 0 : scales.Zip(spread, (scale, own) => scale * scale * own).Sum();
    }

    /// <inheritdoc />
    public override int OutputWidth => _targets.Count;

    /// <inheritdoc />
    public override int TargetWidth => _targets.Count + (_hasWeights ? 1 : 0);

    /// <inheritdoc />
    public override int FloatSums => Distances + 1;

    /// <inheritdoc />
    public override void Train(Span<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team)
    {
        switch (_loss)
        {
            case RegressionLoss.Absolute:
                Train(outputs, targets, terms, new AbsoluteLoss(), team);
                break;
            case RegressionLoss.Huber:
                Train(outputs, targets, terms, new HuberLoss(_huberDelta), team);
                break;
            default:
                Train(outputs, targets, terms, new SquaredLoss(), team);
                break;
        }

        if (_hasWeights)
            SampleWeights.Apply(outputs, terms.Losses, targets, [], hasWeights: true, team);
    }

    /// <inheritdoc />
    public override void Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, ComputeTeam team)
    {
        switch (_loss)
        {
            case RegressionLoss.Absolute:
                Evaluate(outputs, targets, terms, new AbsoluteLoss(), team);
                break;
            case RegressionLoss.Huber:
                Evaluate(outputs, targets, terms, new HuberLoss(_huberDelta), team);
                break;
            default:
                Evaluate(outputs, targets, terms, new SquaredLoss(), team);
                break;
        }
    }

    /// <summary>
    /// The root of the mean squared error and the mean absolute error, over all targets together, and the part of their variance that the
    /// outputs explain: 1 - (sum of squared errors) / (sum of squared distances from the means), each summed over all targets. It is not
    /// defined, NaN, over a set in which no target varies.
    /// </summary>
    /// <inheritdoc />
    public override IReadOnlyList<Metric> Metrics(in BatchSums sums)
    {
        var numbers = (double)sums.Samples * OutputWidth;
        double squares = sums.Floats[Squares],
            distances = sums.Floats[Distances];
        return
        [
            new("rmse", _unit * Math.Sqrt(squares / numbers)),
            new("mae", _unit * (distances / numbers)),
            new("r2", _spread > 0 ? 1 - (squares / _spread) : double.NaN),
        ];
    }

    /// <summary>The outputs in the targets' own units.</summary>
    /// <inheritdoc />
    public override Prediction Predict(ReadOnlySpan<float> output, IReadOnlyList<string> names)
    {
        var numbers = new double[output.Length];
        _targets.InOwnUnits(output, numbers);
        return Prediction.OfNumbers(numbers);
    }

    /// <summary>The outputs in the targets' own units, in double precision: 1.6e9 has no neighbour within 64 in single precision.</summary>
    /// <inheritdoc />
    public override void AddTo(IOperatorGraph graph, GraphValue output, IReadOnlyList<string> names)
    {
        var numbers = graph.Cast(output, GraphType.Double);
        numbers = graph.Add("Mul", [numbers, graph.Constant([.. _targets.Deviations], OutputWidth)]);
        numbers = graph.Add("Add", [numbers, graph.Constant([.. _targets.Means], OutputWidth)]);
        graph.Output("prediction", numbers, GraphType.Double, OutputWidth);
    }

    private void Train<TLoss>(Span<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, TLoss loss, ComputeTeam team)
        where TLoss : unmanaged, IRegressionLoss =>
        RegressionLosses.ForwardBackward(
            outputs,
            targets,
            _scales,
            terms.Losses,
            terms.Floats(Squares),
            terms.Floats(Distances),
            loss,
            team
        );

    private void Evaluate<TLoss>(ReadOnlySpan<float> outputs, ReadOnlySpan<int> targets, in SampleTerms terms, TLoss loss, ComputeTeam team)
        where TLoss : unmanaged, IRegressionLoss =>
        RegressionLosses.Forward(outputs, targets, _scales, terms.Losses, terms.Floats(Squares), terms.Floats(Distances), loss, team);
}
