namespace Distributed.Coordinator.Options;

/// <summary>The text that a command line or a configuration file gives an option.</summary>
/// <param name="Name">The option's name with its dashes.</param>
/// <param name="Text">The value as it was written; null for a switch on the command line, which has none.</param>
/// <param name="Source">The file that it stands in; empty for the command line.</param>
internal sealed record OptionValue(string Name, string? Text, string Source = "")
{
    /// <summary>What a message about the option begins with.</summary>
    internal string Label => (Text is null ? Name : $"{Name} {Text}") + (Source.Length == 0 ? "" : $" in {Source}");
}
