namespace Distributed.Data;

/// <summary>Holds samples back for testing when a dataset has no test set of its own.</summary>
internal static class TestSplit
{
    /// <summary>How many samples there must be for one to be held back.</summary>
    public const int Period = 5;

    /// <summary>Whether a sample is held back: index mod 5 = 4.</summary>
    public static bool IsTest(int index) => index % Period == Period - 1;

    /// <summary>The indices of the training samples and of the test samples, both in file order.</summary>
    /// <exception cref="InputException">There are too few samples for a test set.</exception>
    public static (int[] Train, int[] Test) EveryFifth(int count, string path)
    {
        if (count < Period)
        {
            throw FileErrors.In(path, $"{count} samples are too few to hold every fifth one back; name a test set with --test");
        }

        int[] all = [.. Enumerable.Range(0, count)];
        return (Array.FindAll(all, index => !IsTest(index)), Array.FindAll(all, IsTest));
    }

    /// <summary>The training samples and the test samples.</summary>
    /// <exception cref="InputException">There are too few samples for a test set.</exception>
    public static (SampleSet Train, SampleSet Test) EveryFifth(SampleSet all, string path)
    {
        var (train, test) = EveryFifth(all.Count, path);
        return (all.Select(train), all.Select(test));
    }
}
