using System.Collections.Concurrent;
using System.Globalization;
using Distributed.Random;

namespace Distributed.Integration.Support;

/// <summary>A table with words and gaps that is judged by held-out rows while it is learnt, in milliseconds a step.</summary>
/// <param name="Name">What is predicted.</param>
/// <param name="Steps">Steps of a run that nothing stops.</param>
/// <param name="Options">What decides the result, beside the data.</param>
internal sealed record JudgedTable(string Name, int Steps, string[] Options)
{
    private const int Rows = 230;
    private const string Model =
        """{"layers":[{"type":"piecewise","bins":5},{"type":"embedding"},{"type":"dense","units":11},{"type":"relu"}]}""";

    private static readonly ConcurrentDictionary<string, Lazy<Task<FinishedRun>>> References = new();

    private static readonly string[] Shared =
    [
        "--batch-size",
        "60",
        "--microbatch",
        "7",
        "--eval-every",
        "2",
        "--checkpoint-every",
        "3",
        "--schedule",
        "constant",
        "--optimizer",
        "adamw",
        "--holdout",
        "0.15",
    ];

    /// <summary>Two classes of unequal size; training stops when it gets no better.</summary>
    public static JudgedTable Classes { get; } =
        new("kind", 200, [.. Shared, "--learning-rate", "0.1", "--class-weights", "balanced", "--patience", "2", "--ignore", "price,w"]);

    /// <summary>A price, and rows that count for more than others.</summary>
    public static JudgedTable Prices { get; } =
        new("price", 9, [.. Shared, "--learning-rate", "0.01", "--weight-column", "w", "--loss", "huber", "--ignore", "kind"]);

    /// <summary>Writes the data into a folder.</summary>
    /// <returns>The options that name the data and decide the result, without an end.</returns>
    public string[] WriteTo(TempFolder folder)
    {
        File.WriteAllText(folder["table.csv"], Csv());
        File.WriteAllText(folder["model.json"], Model);
        return ["--data", folder["table.csv"], "--label-column", Name, "--model", folder["model.json"], .. Options];
    }

    /// <summary>The run in one process, with one thread: what every other run is compared with.</summary>
    public Task<FinishedRun> ReferenceAsync() => References.GetOrAdd(Name, _ => new(TrainAloneAsync)).Value;

    private async Task<FinishedRun> TrainAloneAsync()
    {
        using var folder = new TempFolder();
        return await FinishedRun.TrainAsync(folder, [.. WriteTo(folder), "--steps", $"{Steps}", "--workers", "0", "--threads", "1"]);
    }

    private static string Csv()
    {
        var text = new System.Text.StringBuilder("size,color,age,kind,price,w\n");
        for (var row = 0; row < Rows; row++)
        {
            var random = new CounterRandom(seed: 11, RandomPurpose.Shuffle, (ulong)row);
            var (size, age, luck) = (random.Uniform(0), random.Uniform(1), random.Uniform(2));
            var color = (int)(random.Uniform(3) * 4);
            var shown = row % 9 == 2 ? "?" : new[] { "red", "blue", "green", "violet" }[color];
            var gap = row % 7 == 3 ? "" : age.ToString("0.000", CultureInfo.InvariantCulture);
            var kind = size + (color / 4f) + (luck / 2) > 1.4 ? "rare" : "usual";
            text.Append(
                CultureInfo.InvariantCulture,
                $"{size:0.000},{shown},{gap},{kind},{1e5 + (4e4 * size) - (3e4 * age * color) + (5e3 * luck):0.0},{(row % 4) / 2.0}\n"
            );
        }

        return text.ToString();
    }
}
