namespace Distributed.Objectives;

/// <summary>
/// The area under the curve of true positives over false positives (ROC): the chance that a positive sample has a higher score than a
/// negative one, where equal scores count for half (J. Hanley and B. McNeil, "The meaning and use of the area under a ROC curve", 1982).
/// </summary>
internal static class AreaUnderCurve
{
    /// <summary>Counts all pairs, in integers, so that neither order nor rounding plays a part.</summary>
    /// <param name="negatives">The scores of the negative samples.</param>
    /// <param name="positives">The scores of the positive samples.</param>
    /// <returns>From 0 to 1; NaN where one of the two is missing.</returns>
    public static double Of(IReadOnlyCollection<double> negatives, IReadOnlyCollection<double> positives)
    {
        ArgumentNullException.ThrowIfNull(negatives);
        ArgumentNullException.ThrowIfNull(positives);
        if (negatives.Count == 0 || positives.Count == 0)
            return double.NaN;
        double[] below = [.. negatives.Order()],
            scores = [.. positives.Order()];
        var halves = 0L; // two for each pair in the right order, one for a tie
        int lower = 0,
            upTo = 0;
        foreach (var score in scores)
        {
            while (lower < below.Length && below[lower] < score)
                lower++;
            while (upTo < below.Length && below[upTo] <= score)
                upTo++;
            halves += (long)lower + upTo;
        }

        return halves / (2.0 * below.Length * scores.Length);
    }
}
