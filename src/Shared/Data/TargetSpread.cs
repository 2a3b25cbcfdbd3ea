namespace Distributed.Data;

/// <summary>How far numeric targets lie from their means: what R2 compares a model's errors with.</summary>
internal static class TargetSpread
{
    /// <summary>
    /// The sum of the squared distances of each standardised target from its mean over samples, in double precision and in their order;
    /// exactly 0 where all values are equal.
    /// </summary>
    /// <param name="targets">Number of targets.</param>
    /// <param name="sets">The samples.</param>
    public static double[] Of(int targets, params IReadOnlyList<SampleSet> sets)
    {
        var spread = new double[targets];
        for (var target = 0; target < targets; target++)
            spread[target] = Of([.. sets.SelectMany(set => Values(set, target))]);
        return spread;
    }

    private static double Of(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty || !values.ContainsAnyExcept(values[0]))
            return 0;
        double mean = 0,
            spread = 0;
        foreach (var value in values)
            mean += value;
        mean /= values.Length;
        foreach (var value in values)
            spread += (value - mean) * (value - mean);
        return spread;
    }

    private static IEnumerable<float> Values(SampleSet set, int target)
    {
        for (var row = 0; row < set.Count; row++)
            yield return BitConverter.Int32BitsToSingle(set.Targets[(row * set.TargetWidth) + target]);
    }
}
