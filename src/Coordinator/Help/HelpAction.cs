using System.CommandLine;
using System.CommandLine.Invocation;

namespace Distributed.Coordinator.Help;

/// <summary>Shows the help of the command that was asked about.</summary>
/// <param name="texts">The help of each command.</param>
internal sealed class HelpAction(IReadOnlyDictionary<Command, HelpText> texts) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        texts[parseResult.CommandResult.Command].WriteTo(parseResult.InvocationConfiguration.Output);
        return ExitCodes.Done;
    }
}
