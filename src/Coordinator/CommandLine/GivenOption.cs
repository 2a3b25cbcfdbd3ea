namespace Distributed.Coordinator.CommandLine;

/// <summary>An option that somebody has set.</summary>
/// <param name="Name">The name with its dashes.</param>
/// <param name="Text">The value as it was written.</param>
/// <param name="Source">Where it was written, for messages: empty for the command line.</param>
internal sealed record GivenOption(string Name, string Text, string Source = "")
{
    /// <summary>What a message about the option begins with.</summary>
    internal string Label => Source.Length == 0 ? $"{Name} {Text}" : $"{Name} {Text} in {Source}";
}
