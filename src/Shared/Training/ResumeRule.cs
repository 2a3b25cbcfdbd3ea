namespace Distributed.Training;

/// <summary>
/// What may differ when a run is resumed: paths of equal content, and a later end under a schedule that does not depend on it.
/// </summary>
internal static class ResumeRule
{
    private const string EndName = "steps";
    private const string Absent = "nothing"; // another optimizer may have other constants

    /// <summary>Every difference that is not allowed, one line each with both values; none if the run can go on.</summary>
    /// <param name="stored">The configuration that the run began with.</param>
    /// <param name="requested">The configuration that it would go on with.</param>
    public static IReadOnlyList<string> Errors(RunConfiguration stored, RunConfiguration requested)
    {
        OrderedDictionary<string, string> was = new(RunConfigurationJson.Fields(stored)),
            now = new(RunConfigurationJson.Fields(requested));
        return
        [
            .. was
                .Keys.Union(now.Keys)
                .Select(name => (Name: name, Was: was.GetValueOrDefault(name, Absent), Now: now.GetValueOrDefault(name, Absent)))
                .Where(field => field.Was != field.Now && !IsPlace(field.Name) && !IsAllowedEnd(field.Name, stored, requested))
                .Select(field => Line(field.Name, field.Was, field.Now, stored)),
        ];
    }

    /// <summary>Whether a field is only a path to content whose hash is compared as well.</summary>
    internal static bool IsPlace(string name) => name is "data.dataDir";

    private static bool IsAllowedEnd(string name, RunConfiguration stored, RunConfiguration requested) =>
        name == EndName && requested.Steps > stored.Steps && !stored.Options.Schedule.DependsOnEnd;

    private static string Line(string name, string was, string now, RunConfiguration stored)
    {
        var remedy =
            name == EndName && stored.Options.Schedule.DependsOnEnd
                ? $"schedule {stored.Options.Schedule.Name} depends on the end, so it must stay"
                : "it cannot change when a run is resumed";
        return $"{name}: the run has {was}, this command says {now}; {remedy}";
    }
}
