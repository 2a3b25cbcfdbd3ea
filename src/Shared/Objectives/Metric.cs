namespace Distributed.Objectives;

/// <summary>A figure of an evaluation.</summary>
/// <param name="Name">One word in lower case, such as <c>accuracy</c>.</param>
/// <param name="Value">The figure over all samples; NaN where it is not defined.</param>
public readonly record struct Metric(string Name, double Value)
{
    /// <summary>The name in files and streams that scripts read, for a figure of the test set: <c>testAccuracy</c>.</summary>
    public string TestKey => Key("test");

    /// <summary>The same for a figure of the held-out part: <c>holdoutAccuracy</c>.</summary>
    public string HoldoutKey => Key("holdout");

    private string Key(string part) => $"{part}{char.ToUpperInvariant(Name[0])}{Name[1..]}";
}
