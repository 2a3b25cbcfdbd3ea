namespace Distributed.Data;

/// <summary>What a dataset looks like to a network: how often each class occurs, and the range of its features.</summary>
internal sealed class DatasetStatistics
{
    private DatasetStatistics(Dataset dataset)
    {
        TrainCounts = CountLabels(dataset.Train, dataset.ClassNames.Count);
        TestCounts = CountLabels(dataset.Test, dataset.ClassNames.Count);
        (FeatureMinimum, FeatureMaximum, FeatureMean) = MeasureFeatures(dataset.Train, dataset.Shape.Length);
    }

    /// <summary>[classes], the number of training samples of each class.</summary>
    public IReadOnlyList<int> TrainCounts { get; }

    /// <summary>[classes], the number of test samples of each class.</summary>
    public IReadOnlyList<int> TestCounts { get; }

    /// <summary>The smallest value in the training set, after preprocessing.</summary>
    public float FeatureMinimum { get; }

    /// <summary>The largest value in the training set, after preprocessing.</summary>
    public float FeatureMaximum { get; }

    /// <summary>The mean of all values in the training set, after preprocessing.</summary>
    public double FeatureMean { get; }

    /// <summary>Measures a dataset.</summary>
    /// <param name="dataset">The dataset; both sets have at least one sample.</param>
    public static DatasetStatistics Of(Dataset dataset) => new(dataset);

    private static int[] CountLabels(SampleSet samples, int classes)
    {
        var counts = new int[classes];
        foreach (var label in samples.Targets)
            counts[label]++;
        return counts;
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
