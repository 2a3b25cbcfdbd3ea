namespace Distributed.Data;

/// <summary>What a dataset looks like: how often each class occurs or how numeric targets lie, and the range of its features.</summary>
internal sealed class DatasetStatistics
{
    private DatasetStatistics(Dataset dataset)
    {
        TrainCounts = dataset.Targets is null ? CountLabels(dataset.Train, dataset.ClassNames.Count) : [];
        TestCounts = dataset.Targets is null ? CountLabels(dataset.Test, dataset.ClassNames.Count) : [];
        Targets = dataset.Targets is { } targets ? MeasureTargets(dataset.Train, targets) : [];
        (FeatureMinimum, FeatureMaximum, FeatureMean) = MeasureFeatures(dataset.Train, dataset.Shape.Length);
    }

    /// <summary>[classes], the number of training samples of each class.</summary>
    public IReadOnlyList<int> TrainCounts { get; }

    /// <summary>[classes], the number of test samples of each class.</summary>
    public IReadOnlyList<int> TestCounts { get; }

    /// <summary>The numeric targets over the training set, in their own units; none where there are classes.</summary>
    public IReadOnlyList<TargetStatistics> Targets { get; }

    /// <summary>The smallest value in the training set, after preprocessing.</summary>
    public float FeatureMinimum { get; }

    /// <summary>The largest value in the training set, after preprocessing.</summary>
    public float FeatureMaximum { get; }

    /// <summary>The mean of all values in the training set, after preprocessing.</summary>
    public double FeatureMean { get; }

    /// <summary>Measures a dataset.</summary>
    /// <param name="dataset">The dataset; both sets have at least one sample.</param>
    public static DatasetStatistics Of(Dataset dataset) => new(dataset);

    /// <summary>[classes], the number of samples of each class.</summary>
    internal static int[] CountLabels(SampleSet samples, int classes)
    {
        var counts = new int[classes];
        for (var place = 0; place < samples.Targets.Length; place += samples.TargetWidth)
            counts[samples.Targets[place]]++;
        return counts;
    }

    private static TargetStatistics[] MeasureTargets(SampleSet samples, NumericTargets targets)
    {
        var statistics = new TargetStatistics[targets.Count];
        for (var target = 0; target < targets.Count; target++)
        {
            float minimum = float.PositiveInfinity,
                maximum = float.NegativeInfinity;
            for (var place = target; place < samples.Targets.Length; place += samples.TargetWidth)
            {
                var value = BitConverter.Int32BitsToSingle(samples.Targets[place]);
                minimum = Math.Min(minimum, value);
                maximum = Math.Max(maximum, value);
            }

            statistics[target] = new TargetStatistics(
                targets.Names[target],
                targets.InOwnUnits(minimum, target),
                targets.InOwnUnits(maximum, target),
                targets.Means[target],
                minimum == maximum ? 0 : targets.Deviations[target]
            );
        }

        return statistics;
    }

    private static (float Minimum, float Maximum, double Mean) MeasureFeatures(SampleSet samples, int length)
    {
        var sample = new float[length];
        float minimum = float.PositiveInfinity,
            maximum = float.NegativeInfinity;
        double sum = 0;
        for (var index = 0; index < samples.Count; index++)
        {
            samples.Decode([index], sample);
            foreach (var value in sample)
            {
                minimum = Math.Min(minimum, value);
                maximum = Math.Max(maximum, value);
                sum += value;
            }
        }

        return (minimum, maximum, sum / ((double)samples.Count * length));
    }
}

/// <summary>How the values of a numeric target lie.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Minimum">The smallest one.</param>
/// <param name="Maximum">The largest one.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Deviation">Their deviation from it.</param>
internal sealed record TargetStatistics(string Name, double Minimum, double Maximum, double Mean, double Deviation);
