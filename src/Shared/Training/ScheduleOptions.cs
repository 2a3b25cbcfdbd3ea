using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>
/// How the learning rate changes over a run: one type for each curve, which also computes it. The defaults are here and nowhere else.
/// </summary>
[JsonConverter(typeof(ScheduleOptionsConverter))]
public abstract record ScheduleOptions
{
    /// <summary>Every schedule with its defaults; a new one is a line here.</summary>
    public static IReadOnlyList<ScheduleOptions> Known { get; } = [new ConstantSchedule(), new StepSchedule(), new CosineSchedule()];

    /// <summary>What the command line and <c>config.json</c> call the schedule.</summary>
    public abstract string Name { get; }

    /// <summary>Steps over which the rate rises in a straight line to its full value; 0 for none.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>Whether the rate at a step depends on how long the run is, so that a resumed run cannot be given a later end.</summary>
    public abstract bool DependsOnEnd { get; }

    /// <summary>The schedule of this name with its defaults, or null.</summary>
    /// <param name="name">The name, in lower case.</param>
    public static ScheduleOptions? Find(string name) => Known.FirstOrDefault(known => known.Name == name);

    /// <summary>Every bad value.</summary>
    /// <param name="totalSteps">Steps of the whole run; null while that is not known.</param>
    public IEnumerable<OptionError> Errors(long? totalSteps)
    {
        if (WarmupSteps < 0)
            yield return OptionError.Of(nameof(WarmupSteps), WarmupSteps, "must be at least 0");
        if (totalSteps is { } steps && WarmupSteps > steps)
        {
            yield return OptionError.Of(
                nameof(WarmupSteps),
                WarmupSteps,
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"must be at most {steps}, the steps of the run")
            );
        }
    }

    /// <summary>The part of the full rate, above 0 and at most 1, that a step has apart from the warm-up.</summary>
    /// <param name="step">1 to <paramref name="totalSteps"/>.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    internal abstract double Curve(long step, long totalSteps);
}

/// <summary>The rate stays.</summary>
public sealed record ConstantSchedule : ScheduleOptions
{
    /// <inheritdoc/>
    public override string Name => "constant";

    /// <inheritdoc/>
    public override bool DependsOnEnd => false;

    internal override double Curve(long step, long totalSteps) => 1;
}

/// <summary>The rate falls to a tenth after each third of the run.</summary>
public sealed record StepSchedule : ScheduleOptions
{
    private const int Phases = 3;
    private const double Factor = 0.1;

    /// <inheritdoc/>
    public override string Name => "step";

    /// <inheritdoc/>
    public override bool DependsOnEnd => true;

    /// <summary>1, 0.1 and 0.01 in the first, second and last third of the run.</summary>
    internal override double Curve(long step, long totalSteps)
    {
        double factor = 1;
        for (var phase = (step - 1) * Phases / totalSteps; phase > 0; phase--)
            factor *= Factor;
        return factor;
    }
}

/// <summary>The rate falls along half a cosine from the full rate to almost 0.</summary>
public sealed record CosineSchedule : ScheduleOptions
{
    /// <inheritdoc/>
    public override string Name => "cosine";

    /// <inheritdoc/>
    public override bool DependsOnEnd => true;

    /// <summary>
    /// (1 + cos(pi p)) / 2, where p is the part of the run after the warm-up that lies behind: from 1 to just above 0. Computed as
    /// cos(pi p / 2)^2, which has no cancellation near the end.
    /// </summary>
    internal override double Curve(long step, long totalSteps)
    {
        if (step <= WarmupSteps)
            return 1;
        var progress = (double)(step - 1 - WarmupSteps) / (totalSteps - WarmupSteps);
        var root = ScalarMath.CosinePi(progress / 2);
        return root * root;
    }
}

/// <summary>A schedule as <c>config.json</c> has it.</summary>
internal sealed class ScheduleOptionsConverter : JsonConverter<ScheduleOptions>
{
    private const string WarmupName = "warmupSteps";

    public override ScheduleOptions Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var kind = KindJson.Read(document.RootElement);
        var schedule = ScheduleOptions.Find(kind) ?? throw new JsonException($"'{KindJson.Name}' is {kind}, which is no schedule");
        foreach (var property in document.RootElement.EnumerateObject().Where(property => property.Name != KindJson.Name))
        {
            var isKnown = property.Name == WarmupName && property.Value.ValueKind == JsonValueKind.Number;
            if (!isKnown || !property.Value.TryGetInt64(out var steps))
                throw new JsonException($"'{property.Name}' is {property.Value.GetRawText()}, which a schedule does not know");
            schedule = schedule with { WarmupSteps = steps };
        }

        return schedule;
    }

    public override void Write(Utf8JsonWriter writer, ScheduleOptions value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString(KindJson.Name, value.Name);
        writer.WriteNumber(WarmupName, value.WarmupSteps);
        writer.WriteEndObject();
    }
}
