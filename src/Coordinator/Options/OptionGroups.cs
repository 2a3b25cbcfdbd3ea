namespace Distributed.Coordinator.Options;

/// <summary>The headings of the help, in the order in which a newcomer needs their options.</summary>
internal static class OptionGroups
{
    internal const string Data = "Data";
    internal const string Model = "Model";
    internal const string Training = "Training";
    internal const string Cluster = "Workers";
    internal const string Run = "Run folder";
    internal const string Display = "Output";
}
