using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Dashboard;

/// <summary>The curves of a run by the names that scripts read, in the order in which they began.</summary>
internal sealed class CurveSet
{
    /// <summary>The loss of the training, step by step.</summary>
    public const string Loss = "loss";

    /// <summary>The samples trained on in a second.</summary>
    public const string Throughput = "samplesPerSecond";

    private readonly OrderedDictionary<string, Curve> _curves = [];

    /// <summary>All curves.</summary>
    public IEnumerable<KeyValuePair<string, Curve>> All => _curves;

    /// <summary>The newest value of a curve; null if there is none.</summary>
    public double? Latest(string name) => _curves.TryGetValue(name, out var curve) ? curve.Latest : null;

    /// <summary>Adds a value.</summary>
    public void Add(string name, long step, double value) => Of(name).Add(step, value);

    /// <summary>Adds what an evaluation found.</summary>
    public void Add(Evaluated evaluation)
    {
        Add(JudgedFigures.TestLoss, evaluation.Step, evaluation.TestLoss);
        foreach (var (name, value) in evaluation.Figures)
            Add(name, evaluation.Step, value);
    }

    /// <summary>Forgets what came after a step.</summary>
    public void GoBackTo(long step)
    {
        foreach (var curve in _curves.Values)
            curve.Truncate(step + 1);
    }

    /// <summary>Adds what another set holds of later steps.</summary>
    public void AddAll(CurveSet later)
    {
        foreach (var (name, curve) in later._curves)
            Of(name).AddAll(curve);
    }

    private Curve Of(string name)
    {
        if (!_curves.TryGetValue(name, out var curve))
            _curves.Add(name, curve = new Curve());
        return curve;
    }
}
