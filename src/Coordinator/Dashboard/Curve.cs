namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// A series of values over the steps in bounded memory: as long as they fit, every value is there; then neighbours share a bucket, which keeps
/// their least, their greatest and their mean, so that no spike is lost. A bucket spans a power of two of steps, the same for all.
/// </summary>
/// <param name="capacity">The most buckets, at least 2.</param>
internal sealed class Curve(int capacity = Curve.DefaultCapacity)
{
    /// <summary>About as many as a wide screen has columns for a chart: more would not be seen.</summary>
    public const int DefaultCapacity = 1024;

    private readonly List<CurveBucket> _buckets = [];
    private int _shift; // a bucket spans 1 << _shift steps

    /// <summary>How many buckets there are.</summary>
    public int Count => _buckets.Count;

    /// <summary>Rises when buckets other than the last have changed, so that a reader has to take all of them anew.</summary>
    public int Generation { get; private set; }

    /// <summary>The newest value; null if there is none.</summary>
    public double? Latest { get; private set; }

    /// <summary>A bucket, in the order of the steps.</summary>
    public CurveBucket this[int index] => _buckets[index];

    /// <summary>Adds a value. What was there of this step and later ones is forgotten: the run has gone back.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="value">The value; one that is not finite is passed over.</param>
    public void Add(long step, double value)
    {
        if (!double.IsFinite(value))
            return;
        if (_buckets.Count > 0 && step <= _buckets[^1].Last)
            Truncate(step);
        Append(new CurveBucket(step, step, value, value, value, 1));
        Latest = value;
    }

    /// <summary>Adds what another curve holds of later steps.</summary>
    public void AddAll(Curve later)
    {
        foreach (var bucket in later._buckets)
        {
            if (_buckets.Count > 0 && bucket.First <= _buckets[^1].Last)
                Truncate(bucket.First);
            Append(bucket);
        }

        Latest = later.Latest ?? Latest;
        Generation = Math.Max(Generation, later.Generation) + 1; // new to who has read either
    }

    /// <summary>
    /// Forgets values from a step on. A bucket that reaches over it is dropped as a whole: better a gap of a thousandth of the curve than values
    /// that are no longer true.
    /// </summary>
    /// <param name="step">The first step that is forgotten.</param>
    public void Truncate(long step)
    {
        var kept = _buckets.FindIndex(bucket => bucket.Last >= step);
        if (kept < 0)
            return;
        _buckets.RemoveRange(kept, _buckets.Count - kept);
        Latest = _buckets.Count == 0 ? null : _buckets[^1].Mean;
        Generation++;
    }

    private void Append(CurveBucket bucket)
    {
        if (_buckets.Count > 0 && _buckets[^1].First >> _shift == bucket.First >> _shift)
        {
            _buckets[^1] = _buckets[^1].With(bucket);
            return;
        }

        _buckets.Add(bucket);
        while (_buckets.Count > capacity)
            Widen();
    }

    private void Widen()
    {
        _shift++;
        Generation++;
        var kept = 0;
        for (var index = 1; index < _buckets.Count; index++)
        {
            if (_buckets[kept].First >> _shift == _buckets[index].First >> _shift)
                _buckets[kept] = _buckets[kept].With(_buckets[index]);
            else
                _buckets[++kept] = _buckets[index];
        }

        _buckets.RemoveRange(kept + 1, _buckets.Count - kept - 1);
    }
}

/// <summary>Values of neighbouring steps.</summary>
/// <param name="First">The first step.</param>
/// <param name="Last">The last step.</param>
/// <param name="Minimum">The least value.</param>
/// <param name="Maximum">The greatest value.</param>
/// <param name="Sum">The sum of the values.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct CurveBucket(long First, long Last, double Minimum, double Maximum, double Sum, long Count)
{
    /// <summary>The mean of the values.</summary>
    public double Mean => Sum / Count;

    /// <summary>The same with the values of later steps.</summary>
    public CurveBucket With(CurveBucket later) =>
        new(First, later.Last, Math.Min(Minimum, later.Minimum), Math.Max(Maximum, later.Maximum), Sum + later.Sum, Count + later.Count);
}
