using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>How a complete run went: the content of <c>summary.json</c>.</summary>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Samples">Samples trained on by the process that completed the run.</param>
/// <param name="Seconds">The time they took, without start-up and evaluation.</param>
/// <param name="SamplesPerSecond">Their ratio; 0 if nothing was left to train.</param>
/// <param name="TrainLoss">The mean loss per sample over the steps of the last epoch.</param>
/// <param name="TestLoss">The mean loss per sample over the test set.</param>
/// <param name="TestMetrics">What the objective measures of the test set beside the loss.</param>
/// <param name="WeightsSha256">The SHA-256 over all parameters in layout order, little-endian fp32.</param>
/// <param name="Workers">Workers at the end; 0 when the coordinator process trained by itself.</param>
/// <param name="Transport">How gradients travelled.</param>
[JsonConverter(typeof(RunSummaryConverter))]
internal sealed record RunSummary(
    long Steps,
    long Samples,
    double Seconds,
    double SamplesPerSecond,
    double TrainLoss,
    double TestLoss,
    IReadOnlyList<Metric> TestMetrics,
    string WeightsSha256,
    int Workers,
    string Transport
)
{
    /// <summary>Workers that were lost by the process that completed the run.</summary>
    public int WorkersLost { get; init; }

    /// <summary>Workers that joined it after the first step.</summary>
    public int WorkersJoined { get; init; }

    /// <summary>The figures of the held-out part; null if there is none.</summary>
    public TestScore? HeldOut { get; init; }

    /// <summary>
    /// The step of the evaluation with the lowest loss, of the held-out part if there is one, else of the test set; of two the earlier;
    /// null if none was finite. With <c>--patience</c> its weights are the model, otherwise the last ones are.
    /// </summary>
    public long? BestStep { get; init; }

    /// <summary>The test loss of that evaluation.</summary>
    public double? BestTestLoss { get; init; }

    /// <summary>The held-out loss of that evaluation; null if nothing is held out.</summary>
    public double? BestHoldoutLoss { get; init; }

    /// <summary>Whether training stopped before its end; null without <c>--patience</c>.</summary>
    public bool? StoppedEarly { get; init; }

    /// <summary>Why it stopped; null if it did not.</summary>
    public string? StopReason { get; init; }

    /// <summary>The checkpoint of that step, in the run folder; null if none was due there.</summary>
    public string? BestCheckpoint { get; init; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict) { WriteIndented = true, NewLine = "\n" };

    /// <summary>The summary as indented JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InputException">The text is not a summary.</exception>
    public static RunSummary FromJson(string json, string sourceName)
    {
        try
        {
            return JsonSerializer.Deserialize<RunSummary>(json, Options) ?? throw new JsonException("it is null");
        }
        catch (JsonException exception)
        {
            throw new InputException(
                $"{sourceName}: not a run's summary ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                exception
            );
        }
    }
}
