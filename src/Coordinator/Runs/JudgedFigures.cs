using System.Text.Json;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// The figures of an evaluation under the names that scripts read: <c>testLoss</c>, <c>testAccuracy</c>, and of a part that is held out
/// <c>holdoutLoss</c>, <c>holdoutAccuracy</c>.
/// </summary>
internal static class JudgedFigures
{
    /// <summary>The loss over the test set.</summary>
    public const string TestLoss = "testLoss";

    /// <summary>The loss over the held-out part.</summary>
    public const string HoldoutLoss = "holdoutLoss";

    private const string TestPrefix = "test";
    private const string HoldoutPrefix = "holdout";

    /// <summary>The figures behind the test loss.</summary>
    /// <param name="test">The metrics of the test set.</param>
    /// <param name="heldOut">The figures of the held-out part; null if there is none.</param>
    public static IEnumerable<KeyValuePair<string, double>> Of(IReadOnlyList<Metric> test, TestScore? heldOut)
    {
        foreach (var metric in test)
            yield return new(metric.TestKey, metric.Value);
        if (heldOut is null)
            yield break;
        yield return new(HoldoutLoss, heldOut.Loss);
        foreach (var metric in heldOut.Metrics)
            yield return new(metric.HoldoutKey, metric.Value);
    }

    /// <summary>The metrics of the test set in an object.</summary>
    public static IReadOnlyList<Metric> TestMetrics(JsonElement json) => Metrics(json, TestPrefix);

    /// <summary>The figures of the held-out part in an object; null if there are none.</summary>
    public static TestScore? HeldOut(JsonElement json) =>
        json.TryGetProperty(HoldoutLoss, out _) ? new TestScore(Number(json, HoldoutLoss), Metrics(json, HoldoutPrefix)) : null;

    /// <summary>A number; one that JSON does not have was written as null.</summary>
    public static double Number(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: JsonValueKind.Null } ? double.NaN : json.GetProperty(name).GetDouble();

    private static List<Metric> Metrics(JsonElement json, string prefix) =>
        [
            .. json.EnumerateObject()
                .Where(field => field.Name.StartsWith(prefix, StringComparison.Ordinal) && field.Name.Length > prefix.Length)
                .Where(field =>
                    field.Name is not (TestLoss or HoldoutLoss) && field.Value.ValueKind is JsonValueKind.Number or JsonValueKind.Null
                )
                .Select(field => new Metric(Name(field.Name[prefix.Length..]), Number(json, field.Name))),
        ];

    private static string Name(string key) => char.ToLowerInvariant(key[0]) + key[1..];
}
