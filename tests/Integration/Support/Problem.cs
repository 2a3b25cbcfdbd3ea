using System.Collections.Concurrent;
using System.Globalization;
using Distributed.Random;

namespace Distributed.Integration.Support;

/// <summary>
/// Something to train that takes milliseconds a step: a CSV file of 17 features in 9 classes, and the options that decide the result.
/// </summary>
/// <param name="Name">What is odd about it.</param>
/// <param name="Samples">Samples in the file; four of five are trained on.</param>
/// <param name="Options">Model, batches and optimizer.</param>
internal sealed record Problem(string Name, int Samples, string[] Options)
{
    private const int Features = 17;
    private const int Classes = 9;

    private static readonly ConcurrentDictionary<string, Lazy<Task<FinishedRun>>> References = new();

    /// <summary>
    /// 264 training samples in batches of 100: 15 microbatches, the last of 2, and at the end of an epoch a batch of 64 with 10
    /// microbatches, the last of 1.
    /// </summary>
    public static Problem OddSizes { get; } =
        new(
            "odd sizes",
            330,
            [
                "--model",
                "mlp:33",
                "--batch-size",
                "100",
                "--microbatch",
                "7",
                "--schedule",
                "constant",
                "--optimizer",
                "sgd",
                "--momentum",
                "0.9",
                "--nesterov",
                "--learning-rate",
                "0.05",
                "--weight-decay",
                "0.001",
                "--clip-norm",
                "1",
            ]
        );

    /// <summary>49 training samples in batches of 20: 3 microbatches, and at the end of an epoch one.</summary>
    public static Problem FewMicrobatches { get; } =
        new(
            "fewer microbatches than workers",
            61,
            [
                "--model",
                "mlp:13,11",
                "--batch-size",
                "20",
                "--microbatch",
                "9",
                "--schedule",
                "constant",
                "--optimizer",
                "adamw",
                "--learning-rate",
                "0.01",
            ]
        );

    /// <summary>The same with a batch in one microbatch, so that of two workers one has nothing to do.</summary>
    public static Problem OneMicrobatch { get; } =
        new("one microbatch", 61, [.. FewMicrobatches.Options.Select(option => option == "9" ? "20" : option)]);

    /// <summary>The same batches in file order, with another optimizer.</summary>
    public static Problem FileOrder { get; } =
        new(
            "file order",
            330,
            [
                "--model",
                "mlp:33",
                "--batch-size",
                "100",
                "--microbatch",
                "32",
                "--schedule",
                "constant",
                "--no-shuffle",
                "--optimizer",
                "adam",
                "--learning-rate",
                "0.01",
            ]
        );

    /// <summary>A learning rate that no training survives.</summary>
    public static Problem Diverging { get; } =
        new("diverging", 61, ["--model", "mlp:13", "--batch-size", "20", "--optimizer", "sgd", "--learning-rate", "1e30"]);

    /// <summary>Writes the data into a folder.</summary>
    /// <returns>The options that name the data and decide the result, without an end.</returns>
    public string[] WriteTo(TempFolder folder)
    {
        File.WriteAllText(folder["data.csv"], Csv());
        return ["--data", folder["data.csv"], .. Options];
    }

    /// <summary>Writes the data into a file, under a row of names of the columns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="target">The name of the column of classes.</param>
    public void WriteNamed(string path, string target) =>
        File.WriteAllText(path, $"{string.Join(',', Enumerable.Range(0, Features).Select(column => $"f{column}"))},{target}\n{Csv()}");

    /// <summary>The run of a number of steps in one process, with one thread: what every other run is compared with.</summary>
    public Task<FinishedRun> ReferenceAsync(long steps) =>
        References.GetOrAdd($"{Name} {steps}", _ => new(() => TrainAloneAsync(steps))).Value;

    private async Task<FinishedRun> TrainAloneAsync(long steps)
    {
        using var folder = new TempFolder();
        return await FinishedRun.TrainAsync(
            folder,
            [.. WriteTo(folder), "--steps", steps.ToString(CultureInfo.InvariantCulture), "--workers", "0", "--threads", "1"]
        );
    }

    // The label depends on the features, so that there is something to learn.
    private string Csv()
    {
        var text = new System.Text.StringBuilder();
        for (var sample = 0; sample < Samples; sample++)
        {
            var random = new CounterRandom(seed: 7, RandomPurpose.Shuffle, (ulong)sample);
            var features = Enumerable.Range(0, Features).Select(column => random.Uniform((ulong)column)).ToArray();
            var label = (int)(features[0] * 3) + (3 * (int)(features[1] * 3));
            text.AppendJoin(',', features.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))
                .Append(CultureInfo.InvariantCulture, $",{Math.Min(label, Classes - 1)}\n");
        }

        return text.ToString();
    }
}
