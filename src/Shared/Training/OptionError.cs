namespace Distributed.Training;

/// <summary>
/// A bad value of an options type. The property and the rest of the line are kept apart, so that a program can call the property what its
/// users call it: <c>TrainingOptions.BatchSize</c> in code, <c>--batch-size</c> on a command line.
/// </summary>
/// <param name="Property">The path from the options to the property, such as <c>Optimizer.Momentum</c>.</param>
/// <param name="Value">The value as people write it; null where the name alone says it, as for a switch that is on.</param>
/// <param name="Remedy">What would be right; <c>{0}</c>, <c>{1}</c>, .. stand for the names of <paramref name="Others"/>.</param>
/// <param name="Others">The paths of other properties that the remedy mentions.</param>
public sealed record OptionError(string Property, string? Value, string Remedy, params string[] Others)
{
    /// <summary>An error of a value that is formatted alike on every machine.</summary>
    /// <param name="property">The property.</param>
    /// <param name="value">Its value.</param>
    /// <param name="remedy">What would be right.</param>
    /// <param name="others">Other properties that the remedy mentions.</param>
    public static OptionError Of(string property, IFormattable value, string remedy, params string[] others)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(property, value.ToString(null, System.Globalization.CultureInfo.InvariantCulture), remedy, others);
    }

    /// <summary>The same error, seen from options that hold these.</summary>
    /// <param name="property">The property that holds them.</param>
    public OptionError Within(string property) =>
        this with
        {
            Property = $"{property}.{Property}",
            Others = Array.ConvertAll(Others, other => $"{property}.{other}"),
        };

    /// <summary>The error as one line: name, value, and what would be right.</summary>
    /// <param name="name">What a property of this path is called.</param>
    public string Line(Func<string, string> name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var subject = Value is null ? name(Property) : $"{name(Property)} {Value}";
        var remedy =
            Others.Length == 0 ? Remedy : string.Format(null, Remedy, Array.ConvertAll<string, object>(Others, other => name(other)));
        return $"{subject}: {remedy}";
    }

    /// <summary>The line with properties called by their paths.</summary>
    public override string ToString() => Line(path => path);
}
