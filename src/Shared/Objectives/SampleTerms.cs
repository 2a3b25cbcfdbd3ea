namespace Distributed.Objectives;

/// <summary>Where an objective puts what is summed over the samples of a pass.</summary>
internal readonly ref struct SampleTerms
{
    private readonly Span<float> _floats;
    private readonly int _rows;

    /// <summary>Wraps memory for a pass.</summary>
    /// <param name="floats">[float sums, rows].</param>
    /// <param name="rows">Samples in the pass, at least 1.</param>
    /// <param name="counts">[<see cref="BatchSums.CountCount"/>].</param>
    internal SampleTerms(Span<float> floats, int rows, Span<long> counts)
    {
        _floats = floats;
        _rows = rows;
        Counts = counts;
    }

    /// <summary>[rows], the loss of each sample.</summary>
    public Span<float> Losses => Floats(0);

    /// <summary>[<see cref="BatchSums.CountCount"/>], zeros at first: counts over all samples of the pass.</summary>
    public Span<long> Counts { get; }

    /// <summary>The terms of a float sum.</summary>
    /// <param name="sum">Which one, below the objective's <see cref="Objective.FloatSums"/>; 0 is the loss.</param>
    /// <returns>[rows]; all are to be written.</returns>
    public Span<float> Floats(int sum) => _floats.Slice(sum * _rows, _rows);
}
