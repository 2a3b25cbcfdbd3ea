namespace Distributed.Coordinator.Help;

/// <summary>One entry of a command's help.</summary>
/// <param name="Heading">What it is listed under.</param>
/// <param name="Name">The option with its value, or the command.</param>
/// <param name="Text">What it does.</param>
internal sealed record HelpEntry(string Heading, string Name, string Text);
