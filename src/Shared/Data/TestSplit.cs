namespace Distributed.Data;

/// <summary>Holds samples back for testing when a dataset has no test set of its own.</summary>
internal static class TestSplit
{
    /// <summary>How many samples there must be for one to be held back.</summary>
    public const int Period = 5;

    /// <summary>Whether a sample is held back: index mod 5 = 4.</summary>
    public static bool IsTest(int index) => index % Period == Period - 1;
}
